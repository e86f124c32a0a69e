"""Compared -> its title, the cells of its table, and whether its numbers can be trusted."""

from __future__ import annotations

import numpy as np

from hierfit.posterior.compare.comparison import Standing
from hierfit.posterior.compare.left_out import LARGEST_K
from hierfit.posterior.verdict import Level
from hierfit.posterior.words import counted, elided
from hierfit.runs.compared import Compared
from hierfit.told.cells import interval_title

NAME_WIDTH, MANY = 32, 30


def comparison_title(compared: Compared) -> str:
    """Return what the numbers are, and of which rows or groups."""
    design = next(iter(compared.models.values())).run.design
    parts, by, data = f"{compared.comparison.n_parts:,} rows", "row", f"{design.source}"
    if compared.by is not None:
        parts, by = counted(compared.by.n_levels, compared.by.factor), compared.by.factor
        data = f"{design.source} ({design.n_rows:,} rows)"
    without, how = f"that {by}", "PSIS-LOO"
    if compared.folds is not None:
        without, how = f"the fold that holds that {by}", f"{compared.folds.count}-fold cross-validation"
    return (
        f"What each model says of {design.response} in each of {parts} of {data} when it is fitted without {without} "
        f"({how}): log predictive density, summed."
    )


def comparison_cells(compared: Compared, ci: float | None) -> list[list[str]]:
    """Return the cells, the header first; differences and weights only where there is something to differ from."""
    standings = compared.comparison.standings
    several = len(standings) > 1
    limits = sorted({limit(standing) for standing in standings})
    interval = [interval_title(ci)] if several and ci is not None else []
    header = [
        "",
        "elpd",
        "SE",
        effective_name(compared),
        *(["difference", "SE", *interval, "weight"] if several else []),
    ]
    header.append(f"k > {limits[0]}" if len(limits) == 1 else "k too high")
    rows = [header, *(_cells(standing, ci, several=several) for standing in standings)]
    return rows if compared.folds is None else [row[:-1] for row in rows]


def effective_name(compared: Compared) -> str:
    """Return what the effective number of parameters is called."""
    return "p_loo" if compared.folds is None else "p_kfold"


def _cells(standing: Standing, ci: float | None, *, several: bool) -> list[str]:
    cells = [elided(standing.name, NAME_WIDTH), *map(_amount, (standing.elpd, standing.se, standing.p_loo))]
    if several:
        best = standing.difference == 0 and standing.difference_se == 0
        cells += ["", ""] if best else [_amount(standing.difference), _amount(standing.difference_se)]
        if ci is not None:
            cells.append("" if best else " to ".join(map(_amount, standing.interval(ci))))
        cells.append(f"{standing.weight:.2f}")
    return [*cells, f"{standing.doubtful:,}"]


def _amount(value: float) -> str:
    text = "-" if np.isnan(value) else f"{value:,.1f}"
    return "0.0" if text == "-0.0" else text


def limit(standing: Standing) -> str:
    """Return up to which k a run's draws do, "0.67"."""
    return f"{standing.threshold:.2g}"


def doubt(compared: Compared) -> str:
    """Return whether the numbers can be trusted, by the shapes of the tails of their weights, and checks of fits."""
    if compared.folds is not None:
        return _fits(compared)
    standings = compared.comparison.standings
    limits = " or ".join(dict.fromkeys(limit(standing) for standing in standings))
    draws = " and ".join(dict.fromkeys(f"{standing.n_draws:,}" for standing in standings))
    said = f"Pareto k may be {limits} at most with {draws} draws (1 - 1 / log10(draws), never above {LARGEST_K:g})"
    if compared.refits:
        return f"{said}. {_fits(compared)}"
    if not any(standing.doubtful for standing in standings):
        return f"{said}, and is: the numbers can be trusted."
    few = [standing.name for standing in standings if standing.doubtful and not standing.above]
    more = [f" More draws will do for {', '.join(few)}: hierfit extend."] if few else []
    return "".join(
        [
            f"{said}. The fit leans so much on {compared.parts} above it that what it would say without them cannot be "
            "had from its draws; with many of them the sums are too high.",
            *more,
            _advice(sum(standing.doubtful for standing in standings)),
        ]
    )


def _advice(count: int) -> str:
    """Return how to leave out so many parts that the draws cannot leave out."""
    if count > MANY:
        return " Better add --folds 10: fits without a tenth at a time."
    return f" Add --refit: {f'{count} fits, each without one of them' if count > 1 else 'a fit without it'}."


def _fits(compared: Compared) -> str:
    """Return how many fits there were, and what their checks say."""
    every = [fitted.checks.status for own in compared.refits.values() for fitted in own]
    failed, warned = every.count(Level.FAIL), every.count(Level.WARN)
    said = [f"{failed:,} failed" if failed else "", f"{warned:,} warned" if warned else ""]
    verdict = " and ".join(filter(None, said)) or ("all passed" if len(every) > 1 else "passed")
    without = "a fold" if compared.folds is not None else "what was above it"
    fits = f"{len(every):,} fits" if len(every) > 1 else "1 fit"
    return " ".join([f"Checks of {fits} without {without}: {verdict}.", *compared.caution])
