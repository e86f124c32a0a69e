"""hierfit: from a CSV to a checked, explained Bayesian hierarchical regression in one command.

    import hierfit

    run = hierfit.fit(frame, "score ~ ses + (1 | school)", seed=1)
    run.summary()

What is listed in `__all__` is imported when it is first used, so that importing hierfit costs nothing.
"""

__version__ = "0.1.0"

_PLACES = {
    "fit": "hierfit.api.fit",
    "load": "hierfit.api.run",
    "Run": "hierfit.api.run",
    "priors": "hierfit.api.priors",
    "simulate": "hierfit.simulate",
    "Simulated": "hierfit.api.simulated",
    "ChecksFailedWarning": "hierfit.api.spoken",
    **dict.fromkeys(
        (
            "DataError",
            "DiskError",
            "FormulaError",
            "HierfitError",
            "Interrupted",
            "PriorError",
            "RunFolderError",
            "SamplerError",
            "ToolchainError",
            "UsageError",
        ),
        "hierfit.errors",
    ),
}
__all__ = [*sorted(_PLACES), "__version__"]


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module 'hierfit' has no attribute '{name}'")
    from importlib import import_module

    module = import_module(_PLACES[name])
    # `hierfit.simulate` is a package, and callable.
    found = module if _PLACES[name] == f"hierfit.{name}" else getattr(module, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
