"""Runs -> how well their models predict rows, or groups, that they have not seen: what `hierfit compare` shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from hierfit.design.design import Group
from hierfit.engines.latent.levels import kernel_levels
from hierfit.errors import RunFolderError, UsageError, did_you_mean
from hierfit.posterior.compare.alike import first_difference
from hierfit.posterior.compare.comparison import Comparison, compare
from hierfit.posterior.compare.folds import Folds
from hierfit.posterior.compare.left_out import MIN_WEIGHTS, LeftOut, relative_efficiency
from hierfit.posterior.compare.parts import leave_levels_out, leave_rows_out
from hierfit.posterior.log_likelihood import LogLikelihood
from hierfit.posterior.summary import Summary
from hierfit.posterior.verdict import Diagnosis
from hierfit.posterior.words import plural
from hierfit.runs.finished import Opened, load_summary, open_fit
from hierfit.visible import shell_word

Watch = Callable[[float, int], object]
_NUMBERS, _FOLD_NUMBERS = ("elpd", "p_loo", "pareto_k"), ("elpd", "p_kfold", "fold")


@dataclass(frozen=True)
class Model:
    """One of the runs that are compared.

    Attributes:
        name: what it is called among them.
        run: its folder as it holds it, with its draws.
        checks: the verdict on its draws.
        efficiency: share of its draws that are as good as independent ones, on average over parameters.
    """

    name: str
    run: Opened
    checks: Diagnosis
    efficiency: float


@dataclass(frozen=True)
class Fitted:
    """A fit without some rows.

    Attributes:
        number: of it among those of its run, from 0.
        what: was left out, in words: "fold 3", "line 17".
        checks: the verdict on its draws.
    """

    number: int
    what: str
    checks: Diagnosis


@dataclass(frozen=True)
class Compared:
    """Runs, and how well their models predict what they have not seen.

    Attributes:
        models: the runs by name, in the order in which they were given.
        comparison: the numbers, part by part and in sum.
        by: the factor whose levels were left out; None where rows were.
        folds: which of them were left out together; None where each was by itself.
        refits: the checks of the fits without rows, of runs that were fitted again.
        caution: what a reader should know of these.
    """

    models: Mapping[str, Model]
    comparison: Comparison
    by: Group | None = None
    folds: Folds | None = None
    refits: Mapping[str, Sequence[Fitted]] = field(default_factory=dict)
    caution: tuple[str, ...] = ()

    @property
    def parts(self) -> str:
        """What was left out, one after another: "rows", "schools"."""
        return "rows" if self.by is None else plural(self.by.factor)

    def part_name(self, run: str, part: int) -> str:
        """Return a part as it is called: "line 17 (school 3)", "school 3"."""
        if self.by is not None:
            return f"{self.by.factor} {self.by.labels[part]}"
        design = self.models[run].run.design
        labels = [f"{group.factor} {group.labels[group.codes[part]]}" for group in design.groups]
        return design.place(part) + (f" ({', '.join(labels)})" if labels else "")

    def pointwise(self) -> Iterator[Sequence[object]]:
        """Yield a header, and for each run and row its line in the CSV, its groups, elpd, p_loo and Pareto k.

        Where levels of a factor were left out, for each run and level its rows in place of line and groups; where folds
        were, the number of each, from 1, in place of Pareto k.
        """
        if self.by is not None:
            yield ("run", self.by.factor, "rows", *self._titles)
            for name in self.models:
                counted = zip(self.by.labels, self.by.rows_per_level.tolist(), strict=True)
                for part, (label, rows) in enumerate(counted):
                    yield (name, label, rows, *self._numbers(name, part))
            return
        factors = list(dict.fromkeys(group.factor for m in self.models.values() for group in m.run.design.groups))
        yield ("run", "line", *factors, *self._titles)
        for name, model in self.models.items():
            groups = {group.factor: group for group in model.run.design.groups}
            for row, line in enumerate(model.run.design.lines.tolist()):
                labels = [
                    groups[factor].labels[groups[factor].codes[row]] if factor in groups else "" for factor in factors
                ]
                yield (name, line, *labels, *self._numbers(name, row))

    @property
    def _titles(self) -> tuple[str, ...]:
        return _NUMBERS if self.folds is None else _FOLD_NUMBERS

    def _numbers(self, name: str, part: int) -> tuple[object, ...]:
        own = self.comparison.left_out[name]
        k = float(own.k[part])
        last: object = "" if np.isnan(k) else k
        if self.folds is not None:
            last = int(self.folds.of_part[part]) + 1
        return float(own.elpd[part]), float(own.p[part]), last


def compare_runs(runs: Sequence[Path], by: str | None = None, watch: Watch = lambda done, total: None) -> Compared:
    """Leave each row, or each level of the factor `by`, out of each run in turn (PSIS-LOO), and compare the runs.

    `watch` hears of how many rows or levels of how many are done.

    Raises:
        RunFolderError: a run is missing, has too few draws, or was drawn from the priors alone.
        UsageError: the runs are not of the same outcome and rows, one is given twice, or no run has the factor.
    """
    models, factor = open_alike(runs, by)
    found: dict[str, LeftOut] = {}
    n_parts = next(iter(models.values())).run.design.n_rows if factor is None else factor.n_levels
    for index, (name, model) in enumerate(models.items()):
        likelihood = LogLikelihood(model.run.draws, model.run.design)
        told = partial(_told, watch, index * n_parts, len(models) * n_parts)
        if factor is None:
            found[name] = leave_rows_out(likelihood, model.efficiency, told)
        else:
            found[name] = leave_levels_out(likelihood, factor, model.efficiency, told, kernel_levels)
    return Compared(models, compare(found), factor)


def open_alike(runs: Sequence[Path], by: str | None) -> tuple[Mapping[str, Model], Group | None]:
    """Open runs that can be compared, by rows or by levels of a factor; errors as `compare_runs`."""
    models = _open(runs)
    first, *others = models.values()
    for other in others:
        unlike = first_difference(first.name, first.run.design, other.name, other.run.design)
        if unlike is not None:
            raise UsageError(unlike.what, hint=unlike.hint)
    return models, None if by is None else _factor(models, by)


def _factor(models: Mapping[str, Model], by: str) -> Group:
    """Return the factor of that name of the first run that has it.

    Raises:
        UsageError: none has, or another run has other levels in its place.
    """
    found = [(name, group) for name, m in models.items() for group in m.run.design.groups if group.factor == by]
    if not found:
        known = list(dict.fromkeys(group.factor for m in models.values() for group in m.run.design.groups))
        hint = f"choose {' or '.join(known)}" if known else "leave out --by: no run has groups"
        raise UsageError(f"--by {by}: no run has groups of that name.{did_you_mean(by, known)}", hint=hint)
    (first, group), *others = found
    labels = np.array(group.labels)[group.codes]
    for second, other in others:
        differs = np.flatnonzero(labels != np.array(other.labels)[other.codes])
        if len(differs):
            row, design = int(differs[0]), models[first].run.design
            raise UsageError(
                f"{first} and {second} have different groups: on {design.place(row)} of {design.source} {by} is "
                f"'{labels[row]}' for {first}; it is '{other.labels[other.codes[row]]}' for {second}.",
                hint="fit both to the same file",
            )
    return group


def _told(watch: Watch, before: int, total: int, done: int) -> None:
    watch(before + done, total)


def _open(runs: Sequence[Path]) -> dict[str, Model]:
    names = _names(runs)
    return {name: _model(name, run) for name, run in zip(names, runs, strict=True)}


def _names(runs: Sequence[Path]) -> list[str]:
    """Return what runs are called: the names of their folders, or as they are given where these are not distinct."""
    given = [run.parent if run.name == "run.json" else run for run in runs]
    whole = [str(run) for run in given]
    for index, run in enumerate(given):
        if run.resolve() in [other.resolve() for other in given[:index]]:
            raise UsageError(f"{run} is given twice.", hint="name each run once")
    short = [run.name or run.resolve().name for run in given]
    return short if len(set(short)) == len(short) else whole


def _model(name: str, path: Path) -> Model:
    run = open_fit(path)
    if run.spec.prior_only:
        raise RunFolderError(
            f"{run.folder} was drawn from the priors alone: it has not seen the outcome that it would predict.",
            hint="compare runs fitted without --prior-only",
        )
    n_draws = run.draws.n_chains * run.draws.n_draws
    if n_draws < MIN_WEIGHTS:
        raise RunFolderError(
            f"{run.folder} has {n_draws} draws; leaving rows out takes {MIN_WEIGHTS} at least, better 1,000.",
            hint=f"hierfit extend {shell_word(str(run.folder))}",
        )
    stored = load_summary(path)
    return Model(name, run, stored.diagnosis, _efficiency(stored.summary, n_draws))


def _efficiency(summary: Summary, n_draws: int) -> float:
    """Return what share of its draws is as good as independent ones."""
    return relative_efficiency(np.array([float(row.ess_bulk) for row in summary.rows if not row.fixed]), n_draws)
