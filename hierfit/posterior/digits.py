"""Numbers -> text: as many digits as the Monte Carlo error and the posterior spread support, never more.

One number of decimals per row, the smaller of two rules: -floor(log10(2 mcse)), ArviZ's, and the decimal of the
second significant digit of the sd; then raised if the sd would print as zero. Mean, sd and bounds of a row share it
and keep trailing zeros, so that columns align. Absolute values from 1e5, and those below 1e-4 that the decimals still
show, are scientific, with the digits that the decimals stand for. Files keep full precision.

Source: A. Vehtari, "How many iterations to run and how many digits to report", avehtari.github.io/casestudies/Digits.
"""

from __future__ import annotations

import math

LARGE = 1e5
SMALL = 1e-4
MISSING = "-"
DOUBLE_DIGITS = 15


def decimals(sd: float, mcse: float = math.nan) -> int | None:
    """Return the decimals of a row (negative: tens, hundreds), or None where the sd is 0 or not finite."""
    if not (math.isfinite(sd) and sd > 0):
        return None
    first = -math.floor(math.log10(sd))
    rule = first + 1
    if math.isfinite(mcse) and mcse > 0:
        rule = min(rule, -math.floor(math.log10(2 * mcse)))
    return max(rule, first)


def format_number(value: float, places: int | None) -> str:
    """Return one number with the given decimals; four significant digits where they are None."""
    if math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if places is None:
        return _general(value)
    size = abs(value)
    if size >= LARGE or (0 < size < SMALL and round(size, places) > 0):
        return _scientific(value, places)
    text = f"{value:.{max(0, places)}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def format_row(mean: float, sd: float, lower: float, upper: float, mcse: float = math.nan) -> tuple[str, str, str, str]:
    """Return mean, sd and the bounds of one row of a table with the same decimals."""
    places = decimals(sd, mcse)
    largest = max((abs(number) for number in (mean, lower, upper) if math.isfinite(number)), default=0.0)
    if places is not None and largest > 0:
        places = min(places, DOUBLE_DIGITS - 1 - math.floor(math.log10(largest)))
    mean_text, lower_text, upper_text = (format_number(number, places) for number in (mean, lower, upper))
    return mean_text, format_number(sd, _visible(sd, places)), lower_text, upper_text


def format_rhat(value: float) -> str:
    """Return an R-hat: two decimals, three where two would hide that it is above 1.01."""
    if not math.isfinite(value):
        return MISSING
    return f"{value:.3f}" if 1.01 < value < 1.015 else f"{value:.2f}"


def format_count(value: float) -> str:
    """Return an effective sample size or count: whole, rounded down, thousands separated."""
    return MISSING if not math.isfinite(value) else f"{math.floor(value):,}"


def format_share(value: float) -> str:
    """Return a share as percent: two significant digits below 10 %, "100%" only for all, "<0.1%" for traces."""
    percent = 100 * value
    if math.isnan(percent):
        return MISSING
    if 0 < percent < 0.1:
        return "<0.1%"
    if 99.5 <= percent < 100:
        return ">99%"
    return f"{percent:.1f}%" if 0 < percent < 9.95 else f"{percent:.0f}%"


def format_probability(value: float, mcse: float, effective: float) -> str:
    """Return a probability with the decimals that its Monte Carlo error supports, never as a certainty.

    Where all draws agree they are worth `effective` independent ones, and more than so many can tell is not said.
    """
    if math.isnan(value):
        return MISSING
    places = _places(value, mcse, effective)
    least = 10.0**-places
    if value >= 1 - least / 2:
        return f">{1 - least:.{places}f}"
    return f"<{least:.{places}f}" if value <= least / 2 else f"{value:.{places}f}"


def format_ratio(value: float, effective: float, mcse: float = math.nan) -> str:
    """Return odds with at most three significant digits, as many as their Monte Carlo error supports.

    They are no larger or smaller than so many independent draws can tell.
    """
    if math.isnan(value):
        return MISSING
    most = 10.0 ** _places(1.0, math.nan, effective) - 1
    if value == 0 or math.isinf(value):
        return f">{most:,.0f}" if value else f"<{1 / most:.2g}"
    known = math.isfinite(mcse) and mcse > 0
    digits = min(3, max(1, 1 + math.floor(math.log10(value)) - math.floor(math.log10(2 * mcse)))) if known else 3
    rounded = float(f"{value:.{digits - 1}e}")
    size = math.floor(math.log10(rounded))
    if not SMALL <= rounded < LARGE:
        return f"{value:.{digits - 1}e}"
    return f"{rounded:,.{max(0, digits - 1 - size)}f}"


def _places(value: float, mcse: float, effective: float) -> int:
    """Decimals of a probability: ArviZ's rule, or those of one in so many effective draws where all agree."""
    if 0 < value < 1 and math.isfinite(mcse) and mcse > 0:
        return min(6, max(2, -math.floor(math.log10(2 * mcse))))
    return max(1, math.floor(math.log10(max(10.0, effective))))


def _visible(sd: float, places: int | None) -> int | None:
    """Decimals under which a nonzero sd does not print as zero."""
    own = decimals(sd)
    return places if own is None or places is None else max(places, own - 1)


def _general(value: float) -> str:
    size = abs(value)
    return f"{value:.4g}" if size == 0 or SMALL <= size < LARGE else f"{value:.3e}"


def _scientific(value: float, places: int) -> str:
    exponent = math.floor(math.log10(abs(value)))
    return f"{value:.{min(DOUBLE_DIGITS, max(0, places + exponent))}e}"
