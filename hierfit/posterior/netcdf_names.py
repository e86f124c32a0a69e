"""What trace.nc calls things: variables, dimensions and coordinates of parameters, factors, the outcome."""

from __future__ import annotations

from collections.abc import Sequence

from hierfit.model.grammar import PREDICTABLE
from hierfit.model.priors import HORSESHOE_SCALE
from hierfit.model.spec import INTERCEPT_AT_MEAN, Kind, Parameter

_RESERVED = {"chain", "draw", "obs", "coefficient", "varying", "pair", "factor", "b", "sd", "cor", INTERCEPT_AT_MEAN}
_RESERVED |= {"number", "input", "code", "input_of_levels"}
_RESERVED |= {"sd_at_mean", "factor_at_mean", "threshold", "between", HORSESHOE_SCALE}
for _name in PREDICTABLE:
    _RESERVED |= {_name, f"b_{_name}", f"{_name}_coefficient"}
SAMPLE = ("chain", "draw")
# Variable and dimension of the parameters that make vectors.
_VECTORS = {
    Kind.COEFFICIENT: ("b", "coefficient"),
    Kind.THRESHOLD: ("threshold", "between"),
    Kind.SD: ("sd", "varying"),
    Kind.SD_AT_MEAN: ("sd_at_mean", "factor_at_mean"),
    Kind.CORRELATION: ("cor", "pair"),
}
ROW_COLUMNS = ("trials", "offset", "weights", "precision")


def is_scalar(parameter: Parameter) -> bool:
    """Whether the parameter is a variable of its own."""
    return parameter.name == INTERCEPT_AT_MEAN or vector_of(parameter) is None


def vector_of(parameter: Parameter) -> tuple[str, str] | None:
    """Return the variable and the dimension of the vector that has a parameter of its kind, None for scalars."""
    if parameter.kind is Kind.DISTRIBUTIONAL:
        return f"b_{parameter.predictor}", f"{parameter.predictor}_coefficient"
    return _VECTORS.get(parameter.kind)


def coordinate(parameter: Parameter) -> str:
    """Return the label of one parameter in the vector of its kind."""
    if parameter.kind in (Kind.SD, Kind.CORRELATION):
        return inside(parameter.name)
    return str(parameter.group if parameter.kind is Kind.SD_AT_MEAN else parameter.term)


def inside(name: str) -> str:
    """Return what the brackets of sd(...) and cor(...) hold."""
    return name.partition("(")[2][:-1]


def _safe(name: str) -> str:
    """Return a name that netCDF takes: it has no slash, and is more than a dot."""
    return name.replace("/", "_") if name.strip(". ") else f"_{name}"


def outcome_name(response: str) -> str:
    """Return the name of the outcome, which must not be that of its dimension."""
    return f"{_safe(response)}_value" if response == "obs" else _safe(response)


def factor_names(factors: Sequence[str]) -> dict[str, str]:
    """Return the name of each factor's dimension, different from all others in the file."""
    names: dict[str, str] = {}
    taken = set(_RESERVED)
    for factor in factors:
        name = _safe(factor)
        while taken & {name, f"{name}_term", f"u_{name}"}:
            name += "_level"
        names[factor] = name
        taken |= {name, f"{name}_term", f"u_{name}"}
    return names
