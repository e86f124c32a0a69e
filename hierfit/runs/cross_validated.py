"""Runs -> how well their models predict what they have not seen, in each of the ways that there are.

From the draws of each run (`compared.compare_runs`); from those, and fits without each part that these cannot leave out
(its Pareto k too high); or from fits without one fold after another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Group
from hierfit.posterior.compare.comparison import compare
from hierfit.posterior.compare.folds import Folds, deal_levels, deal_rows, refuse_unknown, unlearnt
from hierfit.posterior.compare.held_out import Density, joined, levels_held_out, rows_held_out, seen_density
from hierfit.posterior.compare.left_out import LeftOut
from hierfit.posterior.log_likelihood import LogLikelihood
from hierfit.posterior.words import counted, listed, plural
from hierfit.runs.compared import Compared, Fitted, Model, Watch, compare_runs, open_alike
from hierfit.runs.refits import Refit, Without, refit_all

Indices = NDArray[np.int64]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Way:
    """How it is had what models say of parts of the data that they have not seen.

    Attributes:
        folds: in how many folds all is left out, with fits without each; None takes the draws that there are.
        seed: what the folds follow from.
        refit: whether parts that these draws cannot leave out are, by fits without each.
    """

    folds: int | None = None
    seed: int = 1
    refit: bool = False


def compare_in(way: Way, runs: Sequence[Path], by: str | None, watch: Watch, say: Say) -> Compared:
    """Compare runs in some way; errors as `compare_runs` and `refit_all`."""
    if way.folds is not None:
        return _by_folds(way.folds, way.seed, runs, by, watch, say)
    found = compare_runs(runs, by, watch)
    return _fitted_again(found, watch, say) if way.refit else found


def _by_folds(count: int, seed: int, runs: Sequence[Path], by: str | None, watch: Watch, say: Say) -> Compared:
    models, factor = open_alike(runs, by)
    n_rows = next(iter(models.values())).run.design.n_rows
    folds = deal_rows(n_rows, count, seed) if factor is None else deal_levels(factor, count, seed)
    wanted = [
        Without(name, model.run, fold, folds.rows(fold)) for name, model in models.items() for fold in range(count)
    ]
    caution = tuple(dict.fromkeys(line for each in wanted for line in _cautions(each, count)))
    each_time = f"{count} times, each time without one of {count} folds of the {_parts(factor)}"
    say(f"Fitting  {listed(list(models))} again {each_time}")

    def evaluate(each: Without, likelihood: LogLikelihood, efficiency: float) -> tuple[Density, int]:
        parts = folds.parts(each.number)
        if factor is None:
            return rows_held_out(likelihood, parts, efficiency), likelihood.n_draws
        return levels_held_out(likelihood, factor, parts, efficiency), likelihood.n_draws

    refits = refit_all(wanted, evaluate, watch, say)
    found = {name: _left_out(model, folds, [own for own in refits if own.wanted.name == name], factor)
             for name, model in models.items()}  # fmt: skip
    checks = _checks(refits, lambda own: f"fold {own.number + 1}")
    return Compared(models, compare(found), factor, folds, checks, caution)


def _left_out(
    model: Model, folds: Folds, refits: Sequence[Refit[tuple[Density, int]]], factor: Group | None
) -> LeftOut:
    """Return what a model says of each part, from its fits without each fold."""
    size = len(folds.of_part)
    whole = joined(((folds.parts(own.wanted.number), own.found[0]) for own in refits), size)
    seen = seen_density(LogLikelihood(model.run.draws, model.run.design), factor)
    k = np.full(size, np.nan)
    return LeftOut(whole.elpd, seen - whole.elpd, k, whole.mcse, min(own.found[1] for own in refits))


def _cautions(wanted: Without, count: int) -> Iterator[str]:
    """Yield what the reader should know of a fit without a fold; refuse one of which nothing is known."""
    names = tuple(unlearnt(wanted.run.design, wanted.rows))
    if names:
        refuse_unknown(wanted.run.spec, names, f"fold {wanted.number + 1} of {count}")
        yield (
            f"Fold {wanted.number + 1} has all rows that say something of {listed(names)}: without them there is the "
            "prior."
        )


def _fitted_again(found: Compared, watch: Watch, say: Say) -> Compared:
    """Leave out by fits without them what draws cannot leave out."""
    left_out, wanted, parts = dict(found.comparison.left_out), list[Without](), list[int]()
    for name, model in found.models.items():
        doubtful = left_out[name].doubtful
        if len(doubtful):
            say(f"Fitting  {name} again without {_doubtful(found, len(doubtful))}")
        for part in doubtful.tolist():
            rows = np.array([part]) if found.by is None else np.flatnonzero(found.by.codes == part)
            wanted.append(Without(name, model.run, part, rows))
            parts.append(part)
            names = tuple(unlearnt(model.run.design, rows))
            refuse_unknown(model.run.spec, names, found.part_name(name, part))

    def evaluate(each: Without, likelihood: LogLikelihood, efficiency: float) -> Density:
        if found.by is None:
            return rows_held_out(likelihood, each.rows, efficiency)
        return levels_held_out(likelihood, found.by, np.array([each.number]), efficiency)

    if not wanted:
        return found
    refits = refit_all(wanted, evaluate, watch, say)
    for name in found.models:
        own = [refit for refit in refits if refit.wanted.name == name]
        if own:
            again = LeftOut(
                elpd=np.concatenate([refit.found.elpd for refit in own]),
                p=np.full(len(own), np.nan),
                k=np.full(len(own), np.nan),
                mcse=np.concatenate([refit.found.mcse for refit in own]),
                n_draws=left_out[name].n_draws,
            )
            left_out[name] = left_out[name].replaced(np.array([refit.wanted.number for refit in own]), again)
    checks = _checks(refits, lambda own: found.part_name(own.name, own.number))
    return replace(found, comparison=compare(left_out), refits=checks)


def _checks(refits: Sequence[Refit[Any]], called: Callable[[Without], str]) -> Mapping[str, Sequence[Fitted]]:
    """Return the verdicts on the fits of each run."""
    found: dict[str, list[Fitted]] = {}
    for own in refits:
        fitted = Fitted(own.wanted.number, called(own.wanted), own.diagnosis)
        found.setdefault(own.wanted.name, []).append(fitted)
    return found


def _parts(factor: Group | None) -> str:
    return "rows" if factor is None else plural(factor.factor)


def _doubtful(found: Compared, count: int) -> str:
    """Return what is left out: "1 row whose k is too high", "each of 3 schools whose k is too high"."""
    parts = f"{count:,} {'rows' if count > 1 else 'row'}" if found.by is None else counted(count, found.by.factor)
    return f"{'each of ' if count > 1 else ''}{parts} whose k is too high"
