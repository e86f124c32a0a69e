"""Runs -> how well their models predict rows, or groups, that they have not seen: what `hierfit compare` shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from hierfit.errors import RunFolderError, UsageError
from hierfit.posterior.compare.alike import first_difference
from hierfit.posterior.compare.comparison import Comparison, compare
from hierfit.posterior.compare.left_out import MIN_WEIGHTS, LeftOut, leave_out
from hierfit.posterior.log_likelihood import LogLikelihood
from hierfit.posterior.summary import Summary
from hierfit.posterior.verdict import Diagnosis
from hierfit.runs.finished import Opened, load_summary, open_fit
from hierfit.visible import shell_word

Watch = Callable[[int, int], object]


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
class Compared:
    """Runs, and how well their models predict what they have not seen.

    Attributes:
        models: the runs by name, in the order in which they were given.
        comparison: the numbers, part by part and in sum.
    """

    models: Mapping[str, Model]
    comparison: Comparison

    def pointwise(self) -> Iterator[Sequence[object]]:
        """Yield a header, and for each run and row its line in the CSV, its groups, elpd, p_loo and Pareto k."""
        factors = list(dict.fromkeys(group.factor for m in self.models.values() for group in m.run.design.groups))
        yield ("run", "line", *factors, "elpd", "p_loo", "pareto_k")
        for name, model in self.models.items():
            own, groups = self.comparison.left_out[name], {group.factor: group for group in model.run.design.groups}
            for row, line in enumerate(model.run.design.lines.tolist()):
                labels = [
                    groups[factor].labels[groups[factor].codes[row]] if factor in groups else "" for factor in factors
                ]
                yield (name, line, *labels, float(own.elpd[row]), float(own.p[row]), _number(own.k[row]))


def _number(value: float) -> float | str:
    return "" if np.isnan(value) else float(value)


def compare_runs(runs: Sequence[Path], watch: Watch = lambda done, total: None) -> Compared:
    """Leave each row out of each run in turn (PSIS-LOO), and hold the runs against each other.

    `watch` hears of how many rows of how many are done.

    Raises:
        RunFolderError: a run is missing, has too few draws, or was drawn from the priors alone.
        UsageError: the runs are not of the same outcome and rows, or one is given twice.
    """
    models = _open(runs)
    first, *others = models.values()
    for other in others:
        unlike = first_difference(first.name, first.run.design, other.name, other.run.design)
        if unlike is not None:
            raise UsageError(unlike.what, hint=unlike.hint)
    found: dict[str, LeftOut] = {}
    n_rows = first.run.design.n_rows
    for index, (name, model) in enumerate(models.items()):
        likelihood = LogLikelihood(model.run.draws, model.run.design)
        told = partial(_told, watch, index * n_rows, len(models) * n_rows)
        found[name] = leave_out(likelihood.blocks(), model.efficiency, told)
    return Compared(models, compare(found))


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
    """Return the mean relative ESS of the parameters, 1 at most, as ArviZ takes it where it is not told."""
    ess = np.array([float(row.ess_bulk) for row in summary.rows if not row.fixed and np.isfinite(row.ess_bulk)])
    return float(min(1.0, ess.mean() / n_draws)) if len(ess) else 1.0
