"""What hierfit is to reach, as ratios within one run of the benchmark, and whether it did.

Times are of the whole command, ESS is per second of it. Where brms itself is not installed, the brms-style program,
which the same machine runs without R, stands in for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from bench.cases import Case
from bench.comparators import HIERFIT
from bench.comparators.contract import Sampling
from bench.compare import Standing

BAMBI = ("bambi-nutpie", "bambi-numpyro")
NUTS = ("tutorial", "brms-style", "brms", "rstanarm", *BAMBI)
# Memory is judged where data are large: below, it is that of Python and its packages.
LARGE_ROWS = 1_000_000
DATA_COPIES = 3


@dataclass(frozen=True)
class Target:
    """One line of the list.

    Attributes:
        case: name of the case.
        quantity: what is compared; more is better for ESS per second, less for the others.
        peers: against the best of these; nobody for a plain limit.
        limit: of the ratio to that peer, or of the quantity itself.
    """

    case: str
    quantity: Literal["ess_per_second", "seconds", "seconds_before", "rhat"]
    peers: tuple[str, ...]
    limit: float


SMALL = ("school", "row-slopes", "slopes", "poisson", "crossed-bernoulli")
TARGETS = (
    Target("school", "seconds", (), 3),
    Target("slopes", "ess_per_second", ("brms",), 100),
    Target("slopes", "ess_per_second", BAMBI, 30),
    Target("row-slopes", "ess_per_second", NUTS, 20),
    Target("row-slopes", "rhat", (), 1.01),
    Target("crossed-bernoulli", "ess_per_second", ("brms",), 30),
    Target("crossed-bernoulli", "ess_per_second", BAMBI, 5),
    Target("poisson", "ess_per_second", ("rstanarm", "brms", *BAMBI), 5),
    Target("poisson", "seconds", ("rstanarm",), 1 / 3),
    Target("crossed-gaussian", "ess_per_second", ("bambi-nutpie",), 5),
    Target("crossed-gaussian", "seconds", ("lme4",), 3),
    Target("million", "seconds", ("lme4",), 1),
    Target("ten-million", "seconds", ("read-csv",), 2),
    *(Target(case, "seconds_before", (), 2) for case in SMALL),
)
_WORDS = {"ess_per_second": "ESS/s", "seconds": "time", "seconds_before": "time until sampling begins", "rhat": "R-hat"}


@dataclass(frozen=True)
class Verdict:
    """A target and what was measured.

    Attributes:
        case: name of the case.
        target: in words.
        measured: in words.
        met: None where it could not be measured.
    """

    case: str
    target: str
    measured: str
    met: bool | None


def verdicts(case: Case, found: Mapping[str, Standing], csv_bytes: int, sampling: Sampling) -> Iterator[Verdict]:
    """Yield the verdict on every target of one case; none where hierfit was not run."""
    if HIERFIT not in found:
        return
    for target in TARGETS:
        if target.case == case.name:
            yield _verdict(target, found)
    if case.rows >= LARGE_ROWS:
        yield _memory(case, found[HIERFIT], csv_bytes, sampling)


def _verdict(target: Target, found: Mapping[str, Standing]) -> Verdict:
    more = target.quantity == "ess_per_second"
    words = f"{_WORDS[target.quantity]} {'at least' if more else 'at most'} {target.limit:.3g}"
    own, least = _own(target, found[HIERFIT])
    if not target.peers:
        unit = "" if target.quantity == "rhat" else " s"
        measured = "not measured" if own is None else f"{least}{own:.4g}{unit}"
        return Verdict(target.case, words + unit, measured, _met(own, target.limit, least))
    best = _best(target, found, more=more)
    words += f" x {'the best of ' if len(target.peers) > 1 else ''}{', '.join(target.peers)}"
    if own is None or best is None:
        return Verdict(target.case, words, "not measured", None)
    ratio = own / getattr(best, target.quantity)
    met = ratio >= target.limit if more else _met(ratio, target.limit, least)
    return Verdict(target.case, words, f"{least}{ratio:.3g} x {best.comparator}", met)


def _own(target: Target, hierfit: Standing) -> tuple[float | None, str]:
    """hierfit's number, and "> " where its run was capped and so took longer than that."""
    if hierfit.status == "capped" and target.quantity == "seconds":
        return hierfit.seconds, "> "
    return (getattr(hierfit, target.quantity) if hierfit.status == "ok" else None), ""


def _met(value: float | None, limit: float, least: str) -> bool | None:
    """Whether a value is at most the limit; unknown where it is a lower bound within it."""
    if value is None or (least and value <= limit):
        return None
    return value <= limit


def _best(target: Target, found: Mapping[str, Standing], *, more: bool) -> Standing | None:
    ran = {name: one for name, one in found.items() if one.status == "ok"}
    names = ["brms-style" if name == "brms" and name not in ran else name for name in target.peers]
    peers = [ran[name] for name in names if name in ran and getattr(ran[name], target.quantity)]
    choose = max if more else min
    return choose(peers, key=lambda one: float(getattr(one, target.quantity)), default=None)


def _memory(case: Case, own: Standing, csv_bytes: int, sampling: Sampling) -> Verdict:
    """At most three times the CSV (all its columns are used) plus the draws, effects included, in double precision."""
    values = len(case.parameters) + sum(grouping.levels * len(grouping.terms) for grouping in case.groupings)
    limit = DATA_COPIES * csv_bytes + 8 * sampling.chains * sampling.draws * values
    words = f"memory at most {DATA_COPIES} x the CSV and the draws: {limit / 2**20:,.0f} MiB"
    if own.status != "ok" or own.peak_bytes is None:
        return Verdict(case.name, words, "not measured", None)
    return Verdict(case.name, words, f"{own.peak_bytes / 2**20:,.0f} MiB", own.peak_bytes <= limit)
