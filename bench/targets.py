"""What hierfit is to reach, as ratios within one run of the benchmark, and whether it did.

Times are of the whole command, ESS is per second of it. A run that was stopped at the cap took longer than that, which
may be enough to tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from bench.case import Case
from bench.comparators import HIERFIT
from bench.comparators.contract import Sampling
from bench.compare import Standing

BAMBI = ("bambi-nutpie", "bambi-numpyro")
# Memory is judged where data are large: below, it is that of Python and its packages.
LARGE_ROWS = 1_000_000
DATA_COPIES = 3
Quantity = Literal["ess_per_second", "seconds", "seconds_before", "rhat", "checks"]


@dataclass(frozen=True)
class Target:
    """One line of the list.

    Attributes:
        case: name of the case.
        quantity: what is compared; more is better for ESS per second, less for the others; checks are OK or are not.
        limit: of the ratio to the peer, or of the quantity itself.
        peers: against the best of these; nobody for a plain limit.
    """

    case: str
    quantity: Quantity
    limit: float = 0.0
    peers: tuple[str, ...] = ()


LME4, NAGQ0, GLMMTMB = ("lme4",), ("lme4-nagq0",), ("glmmTMB",)
SMALL = ("school", "row-slopes", "slopes", "poisson", "crossed-bernoulli", "rare", "ordinal", "lognormal")
TARGETS = (
    Target("school", "seconds", 1.5),
    Target("slopes", "ess_per_second", 30, BAMBI),
    Target("slopes", "seconds", 1.5, LME4),
    Target("row-slopes", "ess_per_second", 540, BAMBI),
    Target("row-slopes", "rhat", 1.01),
    Target("crossed-bernoulli", "seconds", 1.5, LME4),
    Target("crossed-bernoulli", "ess_per_second", 1000),
    Target("poisson", "seconds", 1.3, LME4),
    Target("bernoulli", "seconds", 0.3, LME4),
    Target("bernoulli", "seconds", 2, NAGQ0),
    Target("bernoulli-million", "seconds", 0.4, LME4),
    Target("negbinomial", "seconds", 0.2, GLMMTMB),
    *(Target(case, "seconds", 5) for case in ("ordinal", "lognormal")),
    *(Target(case, "checks") for case in ("ordinal", "lognormal")),
    Target("crossed-gaussian", "seconds", 1, LME4),
    Target("million", "seconds", 0.3, LME4),
    Target("many-groups", "seconds", 10),
    Target("ten-million", "seconds", 3, ("read-csv",)),
    *(Target(case, "seconds_before", 0.6) for case in SMALL),
)
_WORDS = {"ess_per_second": "ESS/s", "seconds": "time", "seconds_before": "time until sampling begins", "rhat": "R-hat"}
_UNITS = {"seconds": " s", "seconds_before": " s"}
_CHECKS = {"ok": "OK", "warn": "warnings", "failed-checks": "failed"}


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
    own = found[HIERFIT]
    if target.quantity == "checks":
        said = ", ".join(_CHECKS.get(word, word) for word in own.checks.split(", ") if word)
        return Verdict(target.case, "checks OK", said or "not measured", own.checks == "ok" if said else None)
    more = target.quantity == "ess_per_second"
    words = f"{_WORDS[target.quantity]} {'at least' if more else 'at most'} {target.limit:.3g}"
    value = _bound(own, target.quantity)
    if target.peers:
        words += f" x {'the best of ' if len(target.peers) > 1 else ''}{', '.join(target.peers)}"
        best = _best(target, found, more=more)
        unit = f" x {best.comparator}" if best else ""
        value = _ratio(value, _bound(best, target.quantity) if best else None)
    else:
        unit = _UNITS.get(target.quantity, "")
        words += unit
    if value is None:
        return Verdict(target.case, words, "not measured", None)
    return Verdict(target.case, words, f"{value}{unit}", value.within(target.limit, more=more))


@dataclass(frozen=True)
class _Bound:
    """A number, or where a run was stopped what it is above or below: sign "", "> " or "< "."""

    value: float
    sign: str = ""

    def __str__(self) -> str:
        return f"{self.sign}{self.value:.3g}"

    def within(self, limit: float, *, more: bool) -> bool | None:
        """Whether it is at least (more) or at most the limit; None where the bound leaves that open."""
        if self.sign == "> " and self.value <= limit:
            return None
        if self.sign == "< " and self.value > limit:
            return None
        return self.value >= limit if more else self.value <= limit


def _bound(one: Standing, quantity: Quantity) -> _Bound | None:
    """The number of one comparator; a run that was stopped took longer than the cap."""
    if one.status == "capped" and quantity == "seconds" and one.seconds is not None:
        return _Bound(one.seconds, "> ")
    value = getattr(one, quantity) if one.status == "ok" else None
    return None if value is None else _Bound(value)


def _ratio(own: _Bound | None, best: _Bound | None) -> _Bound | None:
    """hierfit's number in that of its best peer; nothing where both were stopped."""
    if own is None or best is None or (own.sign and best.sign):
        return None
    return _Bound(own.value / best.value, own.sign or ("< " if best.sign else ""))


def _best(target: Target, found: Mapping[str, Standing], *, more: bool) -> Standing | None:
    """The best of those that finished, else one that was stopped."""
    peers = [found[name] for name in target.peers if name in found]
    known = [(one, bound) for one in peers if (bound := _bound(one, target.quantity)) and bound.value]
    finished = [pair for pair in known if not pair[1].sign]
    choose = max if more else min
    best = choose(finished or known, key=lambda pair: pair[1].value, default=None)
    return best[0] if best else None


def _memory(case: Case, own: Standing, csv_bytes: int, sampling: Sampling) -> Verdict:
    """At most three times the CSV (all its columns are used) plus the draws, effects included, in double precision."""
    values = len(case.parameters) + sum(grouping.levels * len(grouping.terms) for grouping in case.groupings)
    limit = DATA_COPIES * csv_bytes + 8 * sampling.chains * sampling.draws * values
    words = f"memory at most {DATA_COPIES} x the CSV and the draws: {limit / 2**20:,.0f} MiB"
    if own.status != "ok" or own.peak_bytes is None:
        return Verdict(case.name, words, "not measured", None)
    return Verdict(case.name, words, f"{own.peak_bytes / 2**20:,.0f} MiB", own.peak_bytes <= limit)
