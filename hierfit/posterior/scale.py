"""Family and link -> the scale of coefficients and outcome in words: "log odds", "the odds of passed = yes multiply".

Coefficients live on the scale of the link. On a multiplicative link (log, logit) exp(b) is a ratio, which a reader
takes in; on the others the expected outcome at two values of the predictor is said instead. So it is for hurdles, where
exp(b) is a ratio of nothing that is observed. Of ordered categories it is the odds of being above any one of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.design.design import Design
from hierfit.model.families import FAMILIES, SIGMA, Support

Array = NDArray[np.float64]
BOUNDS = {
    Support.POSITIVE: (0.0, np.inf),
    Support.UNIT: (0.0, 1.0),
    Support.COUNT: (0.0, np.inf),
    Support.BINARY: (0.0, 1.0),
    Support.SUCCESSES: (0.0, 1.0),
}
SCALES = {"identity": "", "log": "log scale", "logit": "log odds"}
# Links under which a coefficient multiplies something that has a name.
RATIOS = ("log", "logit")
HURDLE, EXCESS = "hu", "zi"


def support_of(design: Design) -> Support:
    """Return what values the outcome may take."""
    return FAMILIES[design.family].support


def link_of(design: Design) -> str:
    """Return the link between outcome and linear predictor, "log" where the family takes the outcome's log itself."""
    family = FAMILIES[design.family]
    takes_log = family.linear is not None and family.support is Support.POSITIVE
    return "log" if takes_log else design.link


def scale_words(design: Design) -> str:
    """Return the scale of the coefficients: "log odds", "probit scale", and nothing for the identity."""
    return SCALES.get(link_of(design), f"{design.link} scale")


def event(design: Design) -> str:
    """Return what a probability is of: "passed = yes", "y = 1"."""
    return f"{design.response} = {design.categories[1] if len(design.categories) == 2 else '1'}"


def end_words(design: Design, end: str) -> str:
    """Return an outcome at the "low" or "high" end of its range: "passed = no", "killed = 0", "all trials killed"."""
    if FAMILIES[design.family].has_thresholds:
        return f"{design.response} = {design.categories[0 if end == 'low' else -1]}"
    if end == "low":
        return f"{design.response} = {design.categories[0] if len(design.categories) == 2 else '0'}"
    return event(design) if support_of(design) is Support.BINARY else f"all trials {design.response}"


def groups_scale(design: Design) -> str:
    """Return the scale of the groups' coefficients, and what their intercepts are where there are thresholds."""
    if not FAMILIES[design.family].has_thresholds:
        return scale_words(design)
    return f"{scale_words(design)}; thresholds take the place of an intercept, so those of groups are deviations from 0"


def outcome_words(design: Design) -> str:
    """Return what lines show of the outcome: its name, "P(passed = yes)", "proportion of incidence"."""
    kind = support_of(design)
    if kind is Support.BINARY:
        return f"P({event(design)})"
    return f"proportion of {design.response}" if kind is Support.SUCCESSES else design.response


def expected_words(design: Design) -> str:
    """Return what lines show of the outcome as the subject of a sentence."""
    words = outcome_words(design)
    return f"Expected {words}" if words == design.response else f"{words[0].upper()}{words[1:]}"


def ratio_words(design: Design) -> str | None:
    """Return what a coefficient's exponential multiplies, with the verb, or None where it multiplies nothing."""
    link, family = link_of(design), FAMILIES[design.family]
    if link not in RATIOS or HURDLE in (auxiliary.name for auxiliary in family.auxiliaries):
        return None
    if link == "log" and design.predictor(SIGMA):  # it moves the mean of a lognormal too
        return f"the median of {outcome_words(design)} multiplies by"
    if link == "log":
        beyond = " beyond the excess zeros" if design.predictor(EXCESS) else ""
        return f"expected {outcome_words(design)}{beyond} multiplies by"
    if support_of(design) is Support.BINARY:
        return f"the odds of {event(design)} multiply by"
    if family.has_thresholds:
        return f"the odds of higher {design.response} multiply by"
    return f"the odds of {design.response} multiply by"


def link_words(design: Design) -> str:
    """Return the left-hand side of the regression: its outcome under the link."""
    scale = scale_words(design)
    if not scale:
        return design.response
    what = event(design) if support_of(design) is Support.BINARY else design.response
    what = f"higher {what}" if FAMILIES[design.family].has_thresholds else what
    return f"the log odds of {what}" if design.link == "logit" else f"{what} ({scale})"


def is_rescaled(design: Design) -> bool:
    """Whether an offset multiplies what is expected of a row, so that outcomes are shown as under another one."""
    of_size = support_of(design) in (Support.COUNT, Support.POSITIVE)
    return design.offset is not None and link_of(design) == "log" and of_size


def offset_words(design: Design) -> str:
    """Return where rescaled outcomes are shown: "at insured_years = 2.71", "at the mean offset"; empty for others."""
    if not is_rescaled(design):
        return ""
    assert design.offset is not None
    roles = design.roles
    if roles.exposure is not None and roles.offset is None:
        return f"at {roles.exposure} = {np.exp(moments.mean(design.offset)):.3g}"
    return "at the mean offset"


def shown_outcome(design: Design) -> Array:
    """Return the outcome as lines show it [N]: the proportion where it counts successes.

    Where an offset multiplies what is expected, as at the mean of the offset, which is where lines are: outcomes under
    other exposures have no place around one line.
    """
    if is_rescaled(design):
        assert design.offset is not None
        return np.asarray(design.y * np.exp(moments.mean(design.offset) - design.offset))
    if design.trials is None:
        return design.y
    return np.asarray(design.y / np.maximum(design.trials, 1))
