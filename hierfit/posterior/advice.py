"""Findings x model -> what to try next: options to add to `hierfit fit --from RUN`, the likeliest first.

Every step is made from the run's own model and is accepted as it stands (`tests/cli/test_tries.py` types each). What
the user set to less than hierfit's own comes first, and alone. More draws where the chains agree but are slow. Then
priors where the data say little, which cured most; longer or smaller steps; smaller models, which cure but answer
another question; a longer warmup, which made some worse. The order follows what helped in `python -m tests.remedies`:
of its sixteen fits nine warned or failed (3 or 4 levels with slopes, gaussian, poisson, student; nested and thin;
separation; near-collinear predictors), and of eight of them each line was followed by itself:

    prior of a coefficient    3 of 3 cured      fewer slopes       4 of 5 cured
    narrower prior of an sd   3 of 6            no correlations    2 of 5, 1 made worse
    smaller steps             2 of 7            a longer warmup    2 of 7, 3 made worse
    longer trajectories       1 helped, 1.3 x   more draws         1 helped, 8.7 x the time

Sources: Stan's "Runtime warnings and convergence problems" guide; Betancourt, "Hierarchical modeling" (2020).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from hierfit.design import moments
from hierfit.design.design import Design, Group
from hierfit.model.formula import Formula, GroupTerm
from hierfit.model.priors import HORSESHOE
from hierfit.model.spec import sd_name
from hierfit.posterior.draws import Draws
from hierfit.posterior.likely import LEAST_WARMUP
from hierfit.posterior.separation import PRIOR_SCALE, separated
from hierfit.posterior.trouble import Trouble, column_scale, has_horseshoe, suspect_groups
from hierfit.posterior.words import plural
from hierfit.visible import shell_words

MOST_DRAWS = 20_000
SMALL_STEPS = 0.99
ACCEPTED_BY_THEM = 0.98  # of draws that come of such steps already, asked for or not
STAN_ADAPT_DELTA, STAN_TREEDEPTH = 0.8, 10
# More divergences than this share are no matter of the step size.
FEW_DIVERGENT = 0.02
PLAUSIBLE = 0.5
# A prior that is proposed has to leave room for what the draws say: their upper end within two of its sds.
QUANTILE = 0.975


@dataclass(frozen=True)
class Try:
    """One thing to try next.

    Attributes:
        flag: options, quoted for a shell, that `hierfit fit --from RUN` takes: "--adapt-delta 0.99".
        why: what they do, in a clause.
    """

    flag: str
    why: str


def what_to_try(trouble: Trouble, draws: Draws, design: Design) -> tuple[Try, ...]:
    """Return what to try next, the likeliest first."""
    return tuple(dict.fromkeys(_steps(trouble, draws, design)))


def _steps(trouble: Trouble, draws: Draws, design: Design) -> Iterator[Try]:
    found = set(trouble.checks)
    undone = tuple(_undone(trouble, draws))
    if undone:  # what else there is to try can only be told without it
        yield from undone
        return
    by_stan = "tree_depth" in draws.stats
    lost = found & {"divergences", "stuck", "nonfinite"}
    draws_first = bool(found & {"ess", "rhat"}) and not lost
    if draws_first and "treedepth" not in found:
        yield _more_draws(trouble, draws)
    if found & {"rhat", "ess", "stuck", "weight", "pareto_k"} and not by_stan:
        yield _step("Stan's sampler instead of independence Metropolis", "--engine", "full")
    if lost or found & {"ebfmi", "rhat"}:
        yield from _other_priors(trouble, draws, design)
    if "treedepth" in found and draws.max_treedepth >= STAN_TREEDEPTH:
        depth = str(draws.max_treedepth + 2)
        yield _step("longer trajectories, up to 4 times slower", "--max-treedepth", depth)
    steps = _smaller_steps(trouble, draws) if found & {"divergences", "stuck"} else ()
    if trouble.divergent <= FEW_DIVERGENT:
        yield from steps
    if lost or found & {"ebfmi", "rhat"}:
        yield from _smaller_models(trouble, draws, design)
    if trouble.divergent > FEW_DIVERGENT:
        yield from steps
    if draws_first and "treedepth" in found:
        yield _more_draws(trouble, draws)
    # A given warmup ends hierfit's own attempts: of 4,000 draws that diverged once, 324 of 16,000 did after it.
    if by_stan and found & {"rhat", "ebfmi", "stuck"} and not trouble.divergent and trouble.asked.warmup is None:
        yield _step("more time to find the step size and the scales", "--warmup", "2000")


def _step(why: str, *options: str) -> Try:
    return Try(shell_words(options), why)


def _undone(trouble: Trouble, draws: Draws) -> Iterator[Try]:
    """What the user has set to less than hierfit would."""
    asked = trouble.asked
    if asked.warmup is not None and asked.warmup < LEAST_WARMUP:
        yield _step(f"{asked.warmup} find neither step size nor scales", "--warmup", "1000")
    if asked.adapt_delta is not None and asked.adapt_delta < STAN_ADAPT_DELTA:
        yield _step(f"Stan's own, in place of {asked.adapt_delta:g}", "--adapt-delta", f"{STAN_ADAPT_DELTA:g}")
    if "treedepth" in trouble.checks and draws.max_treedepth < STAN_TREEDEPTH:
        yield _step(f"Stan's own, in place of {draws.max_treedepth}", "--max-treedepth", str(STAN_TREEDEPTH))


def _smaller_steps(trouble: Trouble, draws: Draws) -> tuple[Try, ...]:
    accepted = float(draws.stats["acceptance_rate"].mean()) if "acceptance_rate" in draws.stats else 0.0
    if (trouble.asked.adapt_delta or 0.0) >= SMALL_STEPS or accepted >= ACCEPTED_BY_THEM:
        return ()
    horseshoe = ", which a horseshoe needs" if has_horseshoe(draws) else ""
    why = f"smaller steps{horseshoe}, 2 to 3 times slower"
    return (_step(why, "--adapt-delta", f"{SMALL_STEPS:g}"),)


def _more_draws(trouble: Trouble, draws: Draws) -> Try:
    wanted = 2 * draws.n_draws
    if trouble.ess_min > 0:
        wanted = math.ceil(1.3 * draws.n_draws * trouble.ess_wanted / trouble.ess_min)
    wanted = min(MOST_DRAWS, max(2 * draws.n_draws, wanted))
    rounded = math.ceil(wanted / 500) * 500
    return _step(f"more draws per chain than the {draws.n_draws:,} of this run", "--draws", str(rounded))


def _other_priors(trouble: Trouble, draws: Draws, design: Design) -> Iterator[Try]:
    """Priors where the data set no bound, or say little: of separated coefficients, horseshoes, sds in trouble."""
    scales = separated(draws, design)
    if trouble.asked.standardize:
        scales = dict.fromkeys(scales, PRIOR_SCALE)
    for name, scale in scales.items():
        yield _prior("the data set it no bound, so say what is plausible", name, scale)
    shrunk = [name for name, prior in trouble.spec.priors.items() if prior.distribution == HORSESHOE]
    if shrunk and "divergences" in trouble.checks:
        outcome = float(moments.sd(design.linear_outcome)) if design.is_scaled else 1.0
        columns = dict(zip(design.coefficients, design.x_scale.tolist(), strict=True))
        options = [f"{name} ~ normal(0, {PRIOR_SCALE * outcome / columns[name]:.2g})" for name in shrunk]
        words = [word for prior in options for word in ("--prior", prior)]
        yield _step("the default priors shrink less than a horseshoe, and are easier to sample", *words)
    for group in suspect_groups(trouble, design):
        found = _plausible_sd(group, trouble, draws, design)
        if found is not None:
            yield _prior("a narrower prior, where it is plausible", *found)


def _prior(why: str, name: str, scale: float) -> Try:
    return _step(why, "--prior", f"{name} ~ normal(0, {scale:.2g})")


def _plausible_sd(group: Group, trouble: Trouble, draws: Draws, design: Design) -> tuple[str, float] | None:
    """Return the sd in trouble and the scale of a half normal for it, or None where the rows say that it is larger.

    Half the sd of the outcome (1 if unscaled) per sd of the column, or more where the draws reach further.
    """
    names = [sd_name(group.factor, term) for term in group.terms]
    drawn = [trouble.spec.speaks_of(name) for name in names]
    index = next((index for index, name in enumerate(drawn) if name in trouble.names), len(names) - 1)
    values = draws.of(drawn[index])
    if not np.isfinite(values).all() or trouble.spec.priors[names[index]].constant is not None:
        return None
    column, of_mean = column_scale(group, index), group.named.of_parameters[index] is None
    outcome = float(moments.sd(design.linear_outcome)) if design.is_scaled and of_mean else 1.0
    scale = max(PLAUSIBLE * outcome / column, float(np.quantile(values, QUANTILE)) / 2)
    upper = trouble.spec.priors[names[index]].quantile(QUANTILE, within=(0.0, math.inf))
    if not scale > 0 or 2 * scale >= upper:
        return None  # it would be no narrower than the prior in force
    return names[index], scale * (column if trouble.asked.standardize and not group.named.is_intercept[index] else 1.0)


def _smaller_models(trouble: Trouble, draws: Draws, design: Design) -> Iterator[Try]:
    formula = trouble.spec.formula
    yield from _other_predictors(trouble, design)
    terms = {term.factor: term for term in formula.groups}
    for group in suspect_groups(trouble, design.of_mean):
        term = terms[group.factor]
        if term.slopes and term.intercept:
            last = term.slopes[-1]
            without = replace(term, slopes=term.slopes[:-1], correlated=term.correlated or len(term.slopes) == 1)
            why = f"one coefficient of {last} for all {plural(group.factor)}"
            yield _model(why, _with_group(formula, term, without))
        if group.correlated and len(group.terms) > 1:
            without = replace(term, correlated=False)
            yield _model("no correlations of what varies", _with_group(formula, term, without))


def _other_predictors(trouble: Trouble, design: Design) -> Iterator[Try]:
    """Of other parameters than the mean: one of each level in place of a reference, or else fewer predictors."""
    formula = trouble.spec.formula
    for own, coefficients in zip(formula.distributional, trouble.spec.distributional, strict=True):
        name = own.parameter
        sds = [sd_name(group.factor, term) for group in trouble.spec.groups for term in group.terms_of(name)]
        if any(sd in trouble.names for sd in sds):
            alone = replace(own, groups=())
            yield _step(f"a {name} that does not vary between groups", f"--{name}", alone.right)
        if not any(coefficient in trouble.names for coefficient in coefficients.names):
            continue
        if own.intercept and len(own.terms) == 1 and own.terms[0] in design.references:
            alone = replace(own, intercept=False)
            yield _step(f"a {name} of each level, none compared with a reference", f"--{name}", alone.right)
        elif len(own.terms) > 1:
            fewer = replace(own, terms=own.terms[:-1])
            yield _step(f"a {name} that does not depend on {own.terms[-1]}", f"--{name}", fewer.right)
        else:
            yield _model(f"one {name} for all rows", formula.without_predictor(name))


def _with_group(formula: Formula, before: GroupTerm, after: GroupTerm) -> Formula:
    return replace(formula, groups=tuple(after if term == before else term for term in formula.groups))


def _model(why: str, formula: Formula) -> Try:
    return _step(why, "--formula", str(formula))
