"""`hierfit fit --from RUN` with further options -> FitRequest: the run's own request, changed where something is given.

What is not given stays as it was, the seed too. Priors are changed parameter by parameter, references and orders of
levels column by column. The model is said by --formula, or whole by --y, --x, --group and --slope; --uncorrelated alone
takes the correlations out of the run's own.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from hierfit.cli.model_request import (
    MODEL_FLAGS,
    SAMPLER,
    data_file,
    given_roles,
    how_long,
    model_formula,
    typed,
    with_offset,
    with_sigma,
)
from hierfit.errors import UsageError
from hierfit.visible import shell_word

if TYPE_CHECKING:
    from hierfit.model.formula import Formula
    from hierfit.request import FitRequest

_PLAIN = ("family", "link", "standardize", "prior_only", "ci")
_CHOICES = ("engine", "toolchain")


def repeated(run: Path, context: typer.Context) -> FitRequest:
    """Return the request stored in a run, with what is given beside --from.

    Raises:
        UsageError: options say half a model.
        RunFolderError: the folder holds no run.
    """
    from hierfit import finished
    from hierfit.model.source import STDIN

    request, given = finished.stored_request(run), context.params
    names = {name for name in given if typed(context, [name])}
    changes: dict[str, Any] = {name: given[name] for name in _PLAIN if name in names}
    changes |= {name: given[name].value for name in _CHOICES if name in names}
    if "data" in names:
        changes["data"] = data_file(given["data"])
    elif request.data == STDIN:
        raise UsageError(
            "that run read its data from standard input, and they are not kept.",
            hint=f"name the file, or pipe it in again: hierfit fit - --from {shell_word(str(run))}",
        )
    if "no_center" in names:
        changes["centered"] = not given["no_center"]
    if names & {"draws", "until_ess"}:
        changes["until_ess"] = how_long(context)
    if "na" in names:
        changes["na"] = tuple(given["na"])
    if given["prior"]:
        changes["priors"] = _merged_priors(request.priors, given["prior"])
    sampler = {name: given[name] for name in SAMPLER if name in names}
    formula = _formula(request.formula, names, context)
    return replace(
        request,
        **changes,
        formula=formula,
        roles=with_offset(_merged_roles(request, names, context), formula),
        sampler=replace(request.sampler, **sampler),
    )


def _formula(before: Formula, names: set[str], context: typer.Context) -> Formula:
    said = [name for name in MODEL_FLAGS if name in names]
    formula = before
    if said == ["uncorrelated"]:
        groups = tuple(replace(group, correlated=group.correlated and not group.slopes) for group in before.groups)
        formula = replace(before, groups=groups)
    elif said:
        if not names & {"formula", "y"}:
            raise UsageError(
                f"beside --from, {', '.join(typed(context, said))} says half a model.",
                hint=f"give it whole, such as --formula {shell_word(str(before))}",
            )
        formula = model_formula(context)
        if formula.sigma is None and "formula" not in names:
            formula = replace(formula, sigma=before.sigma)
    if "sigma" in names:
        formula = with_sigma(replace(formula, sigma=None), context.params["sigma"])
    return formula


def _merged_priors(before: tuple[str, ...], given: list[str]) -> tuple[str, ...]:
    """Return the priors of the run, those of a parameter that has a new one left out, and the new ones."""
    from hierfit.model.priors import parse_prior

    changed = {parse_prior(text)[0] for text in given}
    return (*(text for text in before if parse_prior(text)[0] not in changed), *given)


def _merged_roles(request: FitRequest, names: set[str], context: typer.Context) -> Any:
    roles, before = given_roles(context), request.roles
    single = ("trials", "offset", "weights", "exposure")
    changes: dict[str, Any] = {name: getattr(roles, name) for name in single if name in names}
    if "precision_weights" in names:
        changes["precision"] = roles.precision
    return replace(
        before,
        **changes,
        references={**before.references, **roles.references},
        levels={**before.levels, **roles.levels},
    )
