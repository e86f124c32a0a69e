"""The options of `fit` and `priors` as typed -> FitRequest.

Both commands take the options of the model, and Typer keeps what was typed in its context under the names of the
parameters; so they are read from there, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import typer

from hierfit.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from hierfit.model.formula import Formula
    from hierfit.model.roles import Roles
    from hierfit.request import FitRequest


# What says the model, and what only the sampler knows: names of the parameters that the commands have for it.
MODEL_FLAGS = ("formula", "y", "x", "group", "slope", "no_varying_intercept", "uncorrelated")
SAMPLER = ("chains", "warmup", "draws", "seed", "adapt_delta", "max_treedepth", "parallel_chains")


def request_from(context: typer.Context) -> FitRequest:
    """Return what the options ask for.

    Raises:
        UsageError, FormulaError: the options contradict each other or say too little.
    """
    given = context.params
    if given["data"] is None:
        raise _too_little(context)
    formula = with_sigma(model_formula(context), given["sigma"])
    roles = with_offset(given_roles(context), formula)  # from here on numpy is loaded: not before the flags are good
    from hierfit.request import FitRequest

    return FitRequest(
        data_file(given["data"]),
        formula,
        priors=tuple(given["prior"] or ()),
        family=given["family"],
        link=given["link"],
        roles=roles,
        na=tuple(given["na"] or ()),
        centered=not given["no_center"],
        standardize=given["standardize"],
        **_how_to_fit(context),
    )


def data_file(given: Path) -> Path:
    """Return the file that is named, or for `-` what stands for standard input."""
    from hierfit.model.source import STDIN

    return STDIN if str(given) == "-" else given


def given_roles(context: typer.Context) -> Roles:
    """Return the further columns and the levels that the options name."""
    given = context.params
    references, levels = _references(given["reference"] or ()), _levels(given["levels"] or ())
    from hierfit.model.roles import Roles

    return Roles(
        given["trials"],
        given["offset"],
        given["weights"],
        references,
        levels,
        exposure=given["exposure"],
        precision=given["precision_weights"],
    )


def with_offset(roles: Roles, formula: Formula) -> Roles:
    """Return the roles with the offset that a formula names.

    Raises:
        UsageError: --offset names another.
    """
    from dataclasses import replace

    if formula.offset is None:
        return roles
    if roles.offset not in (None, formula.offset):
        raise UsageError(
            f"--formula has offset({formula.offset}), --offset names {roles.offset}.", hint="leave one of them out"
        )
    return replace(roles, offset=formula.offset)


def _how_to_fit(context: typer.Context) -> dict[str, Any]:
    """Return what only `fit` asks: sampler, engine, toolchain, intervals."""
    given = context.params
    if "chains" not in given:
        return {}
    from hierfit.stan.sampler import SamplerOptions

    return {
        "prior_only": given["prior_only"],
        "ci": given["ci"],
        "engine": given["engine"].value,
        "toolchain": given["toolchain"].value,
        "until_ess": how_long(context),
        "sampler": SamplerOptions(**{name: given[name] for name in SAMPLER}),
    }


def how_long(context: typer.Context) -> int | None:
    """Return the effective draws to reach: --draws alone asks for a fixed number of draws, which is None here.

    With --until-ess, --draws is the length of a round.
    """
    if typed(context, ["draws", "until_ess"]) == ["--draws"]:
        return None
    until_ess: int = context.params["until_ess"]
    return until_ess or None


def model_formula(context: typer.Context) -> Formula:
    """Return the model of --formula, or of --y, --x, --group and --slope."""
    from hierfit.model.formula import formula_from_flags
    from hierfit.model.formula_text import parse_formula

    given = context.params
    if (given["y"] is None) == (given["formula"] is None):
        raise _too_little(context)
    if given["formula"] is not None:
        beside = typed(context, [name for name in MODEL_FLAGS if name not in ("formula", "y")])
        if beside:
            raise UsageError(
                f"--formula says it all; {', '.join(beside)} cannot be given beside it.",
                hint="write it into the formula",
            )
        return parse_formula(given["formula"])
    return formula_from_flags(
        given["y"],
        given["x"] or (),
        given["group"],
        given["slope"] or (),
        varying_intercept=not given["no_varying_intercept"],
        correlated=not given["uncorrelated"],
    )


def _too_little(context: typer.Context) -> UsageError:
    command = context.info_name
    return UsageError(
        f"{command} needs a CSV file, and either --y or --formula.",
        hint=f"hierfit {command} data.csv --y COLUMN --group COLUMN",
    )


def with_sigma(formula: Formula, text: str | None) -> Formula:
    """Return the formula with what --sigma says."""
    if text is None:
        return formula
    from dataclasses import replace

    from hierfit.model.formula_text import parse_sigma

    if formula.sigma is not None:
        raise UsageError(f"--formula says 'sigma ~ {formula.sigma}' already.", hint="leave out --sigma")
    return replace(formula, sigma=parse_sigma(text))


def typed(context: typer.Context, names: Iterable[str]) -> list[str]:
    """Return those of the options that stand on the command line, as they are written there."""
    given = [name for name in names if getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"]
    return ["--" + name.replace("_", "-") for name in given]


def _references(texts: Sequence[str]) -> dict[str, str]:
    """Read COLUMN=LEVEL pairs."""
    references = {}
    for text in texts:
        column, equals, level = text.partition("=")
        if not equals or not column or not level:
            raise UsageError(f"--reference {text} could not be read.", hint="for example --reference sector=Public")
        references[column] = level
    return references


def _levels(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Read COLUMN=LEVEL,LEVEL,... texts."""
    from hierfit.model.levels import parse_levels

    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        column, levels = parse_levels(text)
        if column in found:
            raise UsageError(f"--levels names the column '{column}' twice.", hint="give each column one order")
        found[column] = levels
    return found
