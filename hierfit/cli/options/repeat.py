"""`hierfit fit --from RUN` with further options -> FitRequest: the run's own request, changed where something is given.

What is not given stays as it was, the seed too. Priors are changed parameter by parameter, references, contrasts and
orders of levels column by column; those of columns that a new model leaves out go with them. Of a column's reference
and contrasts the one that is given takes the place of the other. The model is said by --formula, or
whole by --y, --x, --group and --slope; --uncorrelated alone takes the correlations out of the run's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from hierfit.cli.options.fit import FitOptions
from hierfit.cli.options.model import MODEL_FLAGS
from hierfit.cli.options.request import data_file, given_roles, how_long, model_formula, with_offset, with_predictors
from hierfit.errors import UsageError
from hierfit.model.grammar import PREDICTABLE
from hierfit.visible import shell_word

if TYPE_CHECKING:
    from hierfit.model.formula import Formula
    from hierfit.model.request import FitRequest
    from hierfit.model.roles import Roles

Kept = TypeVar("Kept")
SAMPLER = ("chains", "warmup", "draws", "seed", "adapt_delta", "max_treedepth", "parallel_chains")


def repeated(run: Path, options: FitOptions) -> FitRequest:
    """Return the request stored in a run, with what is given beside --from.

    Raises:
        UsageError: options say half a model.
        RunFolderError: the folder holds no run.
    """
    from hierfit.runs import finished

    before, typed = finished.stored_request(run), options.typed
    formula = _formula(before.formula, options)
    return replace(
        before,
        data=_data(before, run, options),
        formula=formula,
        roles=with_offset(_merged_roles(_roles_left(before, formula), options), formula),
        priors=_merged_priors(before.priors, options.prior or ()),
        sampler=replace(before.sampler, **options.changes(*SAMPLER)),
        na=tuple(options.na or ()) if "na" in typed else before.na,
        centered=not options.no_center if "no_center" in typed else before.centered,
        engine=options.engine.value if "engine" in typed else before.engine,
        toolchain=options.toolchain.value if "toolchain" in typed else before.toolchain,
        until_ess=how_long(options) if typed.keys() & {"draws", "until_ess"} else before.until_ess,
        **options.changes("family", "link", "standardize", "prior_only", "ci"),
    )


def _data(before: FitRequest, run: Path, options: FitOptions) -> Path:
    from hierfit.data.source import FRAME, STDIN

    if options.data is not None:
        return data_file(options.data)
    if before.data == FRAME:
        raise UsageError(
            "that run was fitted to a DataFrame in Python, which is not kept.",
            hint=f"in Python: hierfit.load({str(run)!r}).rerun(frame); or name a CSV file with its rows",
        )
    if before.data == STDIN:
        raise UsageError(
            "that run read its data from standard input, and they are not kept.",
            hint=f"name the file, or pipe it in again: hierfit fit - --from {shell_word(str(run))}",
        )
    return before.data


def _formula(before: Formula, options: FitOptions) -> Formula:
    typed, formula = options.typed, before
    said = options.said("formula", "y", *MODEL_FLAGS)
    if said == ["--uncorrelated"]:
        formula = before.uncorrelated
    elif said:
        if not typed.keys() & {"formula", "y"}:
            raise UsageError(
                f"beside --from, {', '.join(said)} says half a model.",
                hint=f"give it whole, such as --formula {shell_word(str(before))}",
            )
        formula = model_formula(options)
        if not formula.distributional and "formula" not in typed:
            formula = replace(formula, distributional=before.distributional)
    for name in typed.keys() & set(PREDICTABLE):
        formula = formula.without_predictor(name)
    return with_predictors(formula, options)


def _merged_priors(before: tuple[str, ...], given: Sequence[str]) -> tuple[str, ...]:
    """Return the priors of the run, those of a parameter that has a new one left out, and the new ones."""
    from hierfit.model.priors import parse_prior

    changed = {parse_prior(text)[0] for text in given}
    return (*(text for text in before if parse_prior(text)[0] not in changed), *given)


def _roles_left(before: FitRequest, formula: Formula) -> Roles:
    """Return the roles of the run without references, levels and contrasts of columns that the formula has no more."""
    of_run, now = ({*said.predictors, said.response} for said in (before.formula, formula))
    gone, roles = of_run - now, before.roles
    return replace(
        roles,
        references={column: level for column, level in roles.references.items() if column not in gone},
        levels={column: levels for column, levels in roles.levels.items() if column not in gone},
        contrasts={column: contrasts for column, contrasts in roles.contrasts.items() if column not in gone},
    )


def _merged_roles(before: Roles, options: FitOptions) -> Roles:
    roles = given_roles(options)
    return replace(
        before,
        precision=roles.precision if "precision_weights" in options.typed else before.precision,
        references={**_without(before.references, roles.contrasts), **roles.references},
        levels={**before.levels, **roles.levels},
        contrasts={**_without(before.contrasts, roles.references), **roles.contrasts},
        **options.changes("trials", "offset", "weights", "exposure"),
    )


def _without(before: Mapping[str, Kept], changed: Mapping[str, object]) -> dict[str, Kept]:
    return {column: kept for column, kept in before.items() if column not in changed}
