"""Draws x Design x ModelSpec -> all checks of a model, and what their pictures are drawn from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.model.families import Support
from hierfit.model.spec import ModelSpec
from hierfit.posterior.check.coverage import GroupMeans, group_means, groups_check
from hierfit.posterior.check.fresh import place_again
from hierfit.posterior.check.known import truth_checks
from hierfit.posterior.check.places import Places
from hierfit.posterior.check.prior_alone import Implied, implied, prior_checks
from hierfit.posterior.check.replicated import Replicated, replicate_rows
from hierfit.posterior.check.residuals import Against, against, residuals_of
from hierfit.posterior.check.rows import far_rows, has_places, places_check
from hierfit.posterior.check.sample import Sample, take_sample
from hierfit.posterior.check.sensitivity import FLAGGED, SENSITIVE, Sensitivity, sensitivities
from hierfit.posterior.check.statistics import statistic_checks
from hierfit.posterior.check.tries import Tries
from hierfit.posterior.check.uniform import Uniformity, uniformity
from hierfit.posterior.check.verdicts import Check, Verdict, judged
from hierfit.posterior.draws import Draws
from hierfit.posterior.log_likelihood import LogLikelihood
from hierfit.posterior.scale import support_of
from hierfit.posterior.truth import Truth
from hierfit.posterior.words import listed, plural
from hierfit.visible import visible

Array = NDArray[np.float64]
FITTED = "what is fitted"


@dataclass(frozen=True, eq=False)
class Checked:
    """All checks of a model.

    Attributes:
        sample: draws and rows that they are computed from.
        checks: one by one.
        sensitivities: of parameters to prior and likelihood; none of the prior alone.
        statistics: test statistics by the names of their checks: of the data, and of each replication [1 + S].
        replicated: outcomes, None of the prior alone.
        places: of rows, None of the prior alone.
        even: whether these are uniform; None where they say nothing.
        fitted: linear predictor of the rows without group effects, on average over draws [R].
        residuals: against what is fitted and each predictor.
        groups: means of the groups of each factor.
        implied: what the prior holds of outcomes; None where the data were seen.
    """

    sample: Sample
    checks: tuple[Check, ...]
    sensitivities: tuple[Sensitivity, ...] = ()
    statistics: Mapping[str, Array] = field(default_factory=dict)
    replicated: Replicated | None = None
    places: Places | None = None
    even: Uniformity | None = None
    fitted: Array = field(default_factory=lambda: np.empty(0))
    residuals: tuple[Against, ...] = ()
    groups: tuple[GroupMeans, ...] = ()
    implied: Implied | None = None

    @property
    def worst(self) -> Verdict:
        """The worst verdict."""
        order = list(Verdict)
        return order[max((order.index(check.verdict) for check in self.checks), default=0)]


def check_model(
    draws: Draws, design: Design, spec: ModelSpec, run: str = "RUN", truth: Truth | None = None, seed: int = 1
) -> Checked:
    """Check a model; `run` is how its run is typed in commands that are advised."""
    sample, tries = take_sample(draws, design, seed), Tries(run, design, spec)
    if spec.prior_only:
        found = implied(sample)
        return Checked(sample, tuple(prior_checks(sample, found)), implied=found)
    replicated = replicate_rows(sample)
    places = place_again(sample, replicated.places)
    statistics = statistic_checks(sample, replicated, tries)
    checks = [check for check, _ in statistics]
    even = uniformity(places.pit) if has_places(sample) else None
    if even is not None:
        checks += [places_check(sample, places, even, tries), far_rows(sample, places, tries)]
    groups = tuple(group_means(sample, group) for group in design.groups)
    checks += [groups_check(sample, means) for means in groups]
    predictor = fitted(sample)
    residuals = tuple(_residuals(sample, places, predictor, groups))
    checks += [_residual_check(each, len(residuals), tries) for each in residuals]
    sensitive = tuple(sensitivities(draws, design, spec))
    checks += [_prior_check(sensitive, tries)] if sensitive else []
    checks += truth_checks(draws, design, truth) if truth is not None else []
    values = {check.name: own for check, own in statistics}
    return Checked(sample, tuple(checks), sensitive, values, replicated, places, even, predictor, residuals, groups)


def _residuals(sample: Sample, places: Places, predictor: Array, groups: tuple[GroupMeans, ...]) -> Iterator[Against]:
    """Yield residuals against what is fitted without group effects, and against each column that terms read."""
    design, rows, own = sample.design, sample.rows, residuals_of(sample, places)
    two = (sample.y, places.mean) if support_of(design) is Support.BINARY else None
    found = [against(FITTED, predictor, own, binary=two)]
    table = design.inputs
    columns: dict[str, NDArray[Any]] = {} if table is None else {**table.numbers, **table.labels}
    for name, values in columns.items():
        levels = () if table is None or name not in table.labels else table.levels[name]
        x, of, shown, binary = values[rows].astype(np.float64), "rows", own, two
        for means in groups:
            if len(means.levels) > 2 and _is_of_group(values, means):
                first = np.full(means.group.n_levels, -1)
                first[means.group.codes[::-1]] = np.arange(design.n_rows)[::-1]
                x, of = values[first[means.levels]].astype(np.float64), plural(means.group.factor)
                shown, binary = means.residuals, None
        found.append(against(name, x, shown, levels, of, binary))
    kept = [each for each in found if each is not None]
    yield from (each for each in kept if each.name != FITTED or not any(each.splits_as(other) for other in kept[1:]))


def _is_of_group(values: NDArray[np.generic], means: GroupMeans) -> bool:
    """Whether a column is the same in all rows of each group."""
    codes = means.group.codes
    of_level = np.empty(means.group.n_levels, dtype=values.dtype)
    of_level[codes] = values
    return np.array_equal(of_level[codes], values)


def fitted(sample: Sample) -> Array:
    """Return the linear predictor of the rows without group effects, over draws [R]."""
    likelihood = LogLikelihood(sample.draws, sample.design)
    factors = tuple(group.factor for group in sample.design.groups)
    return np.concatenate([likelihood.predictor(sample.rows[at], factors).mean(axis=0) for _, at in sample.blocks()])


def _residual_check(found: Against, of: int, tries: Tries) -> Check:
    """Return the check of residuals, one of so many: p values are multiplied by how many there are, and by two."""
    level, spread = found.p_level, found.p_spread
    both = np.array([level, spread])
    p = float(min(1.0, of * np.sum(np.isfinite(both)) * np.nanmin(both)))
    by_level = not level > spread
    numbers = found.mean if by_level else found.square
    at = int(np.argmax(np.abs(numbers - np.average(numbers, weights=found.count)) * np.sqrt(found.count)))
    whose = "" if found.of == "rows" else f" of {found.of}"
    what, verdict, name = "level" if by_level else "spread", judged(p), visible(found.name)
    says = f"residuals{whose} against {name}: level and spread are the same everywhere"
    options: tuple[str, ...] = ()
    if verdict is not Verdict.OK:
        value = float(numbers[at]) if by_level else float(np.sqrt(numbers[at]))
        most = f"most at {found.place(at)}, where it is {value:.2f} sd"
        says = f"residuals{whose} against {name}: their {what} differs, {most}"
        if found.name != FITTED and not found.levels:
            options = tries.curve(found.name) if by_level else tries.scatter(found.name)
        elif found.name != FITTED and not by_level:
            options = tries.scatter(found.name)
    nan = float("nan")
    middle, margin = (0.0, 2 / np.sqrt(found.count[at])) if by_level else (1.0, np.sqrt(8 / found.count[at]))
    ends = (middle - float(margin), middle + float(margin))
    observed = float(numbers[at])
    return Check(f"residuals: {name}", verdict, observed, middle, *ends, p if np.isfinite(p) else nan, says, options)


def _prior_check(found: tuple[Sensitivity, ...], tries: Tries) -> Check:
    """Return what power scaling says of the priors."""
    most = max(found, key=lambda own: own.prior)
    names = {own.name for own in found}
    # Of an intercept or sd at 0 and at the mean of columns, the one that the prior speaks of.
    found = tuple(own for own in found if tries.spec.speaks_of(own.name) not in names - {own.name})
    torn = [own.name for own in found if own.conflict]
    weak = [own.name for own in found if own.weak]
    said_of = "the data decide" if most.prior < SENSITIVE else "the prior has some weight, not much"
    says = f"priors: sensitivity at most {most.prior:.2f} ({visible(most.name)}): {said_of}"
    if torn or weak:
        said = []
        if torn:
            said.append(f"{listed([visible(name) for name in torn])} follow prior and data both, which may disagree")
        if weak:
            said.append(f"of {listed([visible(name) for name in weak])} the data say little, and the prior decides")
        says = f"priors: {'; '.join(said)} (sensitivity up to {most.prior:.2f})"
    verdict, nan = Verdict.LOOK if torn or weak else Verdict.OK, float("nan")
    options = tries.wider_priors([*torn, *weak])
    return Check("priors", verdict, most.prior, nan, 0.0, FLAGGED, nan, says, options)
