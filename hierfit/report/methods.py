"""A run -> the paragraph of a methods section, and the references that it names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hierfit import __version__
from hierfit.engines.names import EngineName
from hierfit.model.families import FAMILIES
from hierfit.model.priors import SET_BY_USER
from hierfit.model.spec import Kind, ModelSpec, cor_name
from hierfit.posterior.digits import format_count
from hierfit.posterior.words import counted, plural
from hierfit.runs.record import RunRecord
from hierfit.told.account import dropped_text, start_text
from hierfit.told.cells import interval_title

REFERENCES = {
    "stan": "Carpenter, B., Gelman, A., Hoffman, M. D., et al. (2017). Stan: A probabilistic programming language. "
    "Journal of Statistical Software, 76(1). doi:10.18637/jss.v076.i01",
    "nuts": "Hoffman, M. D., & Gelman, A. (2014). The No-U-Turn sampler: Adaptively setting path lengths in "
    "Hamiltonian Monte Carlo. Journal of Machine Learning Research, 15, 1593-1623.",
    "tierney": "Tierney, L. (1994). Markov chains for exploring posterior distributions. Annals of Statistics, 22(4), "
    "1701-1728. doi:10.1214/aos/1176325750",
    "rhat": "Vehtari, A., Gelman, A., Simpson, D., Carpenter, B., & Bürkner, P.-C. (2021). Rank-normalization, "
    "folding, and localization: An improved R-hat for assessing convergence of MCMC. Bayesian Analysis, 16(2), "
    "667-718. doi:10.1214/20-BA1221",
    "loo": "Vehtari, A., Gelman, A., & Gabry, J. (2017). Practical Bayesian model evaluation using leave-one-out "
    "cross-validation and WAIC. Statistics and Computing, 27(5), 1413-1432. doi:10.1007/s11222-016-9696-4",
    "lkj": "Lewandowski, D., Kurowicka, D., & Joe, H. (2009). Generating random correlation matrices based on vines "
    "and extended onion method. Journal of Multivariate Analysis, 100(9), 1989-2001. doi:10.1016/j.jmva.2009.04.008",
    "hamiltonian": "Neal, R. M. (2011). MCMC using Hamiltonian dynamics. In S. Brooks, A. Gelman, G. L. Jones, & X.-L. "
    "Meng (Eds.), Handbook of Markov Chain Monte Carlo (pp. 113-162). CRC Press.",
    "quadrature": "Pinheiro, J. C., & Bates, D. M. (1995). Approximations to the log-likelihood function in the "
    "nonlinear mixed-effects model. Journal of Computational and Graphical Statistics, 4(1), 12-35. "
    "doi:10.1080/10618600.1995.10474663",
}
WITHOUT_STAN = (EngineName.MARGINAL, EngineName.LATENT)


_COMPARED = (
    "Models were compared by their expected log predictive densities, from Pareto smoothed importance sampling "
    "leave-one-out cross-validation (Vehtari, Gelman & Gabry, 2017)."
)


def methods_text(record: RunRecord, manifest: Mapping[str, Any], ci: float, *, compared: bool = False) -> str:
    """Return the paragraph: model, data, priors, computation, checks, what estimates are, how models were compared."""
    return " ".join(
        [
            _model_sentence(record),
            *_missing_sentences(record),
            _priors_sentence(record.model),
            *_correlation_sentences(record.model),
            *_computation_sentences(record, manifest),
            _checks_sentence(record),
            f"Estimates are posterior means with equal-tailed {interval_title(ci)}s.",
            *([_COMPARED] if compared else []),
        ]
    )


def references(record: RunRecord, *, compared: bool = False) -> tuple[str, ...]:
    """Return what the paragraph refers to, in the order of the alphabet."""
    keys = ["rhat", *(["loo"] if compared else [])]
    if record.engine in WITHOUT_STAN:
        keys.append("tierney" if _is_independent(record) else "hamiltonian")
        keys += ["quadrature"] if record.engine is EngineName.LATENT else []
    else:
        keys += ["stan", "nuts"]
    if _lkj(record.model):
        keys.append("lkj")
    return tuple(sorted(REFERENCES[key] for key in keys))


def _is_independent(record: RunRecord) -> bool:
    """Whether its chains are of independence Metropolis."""
    adapts = record.start is not None and record.start.origin == "adaptation"
    return record.engine is EngineName.MARGINAL or (record.engine is EngineName.LATENT and not adapts)


def _model_sentence(record: RunRecord) -> str:
    model, data = record.model, record.data
    family = FAMILIES[model.family]
    kind = "multilevel " if record.groups else ""
    levels = _and([counted(group.levels, group.factor) for group in record.groups])
    of = f" from {levels}" if levels else ""
    return (
        f"We fitted a Bayesian {kind}regression model ({family.title} distribution, {model.link} link) of "
        f"{model.formula.response} to {data.rows:,} rows{of} with hierfit {__version__}; in the notation of lme4, "
        f"{record.formula}."
    )


def _missing_sentences(record: RunRecord) -> Iterator[str]:
    data = record.data
    if data.rows_read > data.rows:
        dropped = dropped_text(data.rows_read - data.rows, data.missing)
        yield f"Rows with missing values were left out: {dropped}, of {data.rows_read:,}."


def _priors_sentence(model: ModelSpec) -> str:
    by_user = [name for name, prior in model.priors.items() if prior.source.startswith(SET_BY_USER)]
    if not by_user:
        return "Priors were weakly informative and scaled to the data; all are listed in the table of priors."
    if len(by_user) == len(model.priors):
        return "All priors were chosen by us; they are listed in the table of priors."
    those = f"{'Those' if len(by_user) > 1 else 'That'} of {_and(by_user)}"
    verb = "were" if len(by_user) > 1 else "was"
    return (
        f"Priors were weakly informative and scaled to the data, but for {those[0].lower()}{those[1:]}, which {verb} "
        "chosen by us; all are listed in the table of priors."
    )


def _lkj(model: ModelSpec) -> list[str]:
    """Return the factors whose correlations have an LKJ prior."""
    factors = dict.fromkeys(str(own.group) for own in model.parameters if own.kind is Kind.CORRELATION)
    return [factor for factor in factors if model.priors[cor_name(factor)].distribution == "lkj"]


def _correlation_sentences(model: ModelSpec) -> Iterator[str]:
    factors = _lkj(model)
    if factors:
        those = _and([plural(factor) for factor in factors])
        yield f"Correlations between effects of {those} have LKJ priors (Lewandowski et al., 2009)."


def _computation_sentences(record: RunRecord, manifest: Mapping[str, Any]) -> Iterator[str]:
    sampler = record.request.sampler
    chains, seed = record.chains or sampler.chains, sampler.seed
    if record.model.prior_only:
        yield "The outcome was left out, so that draws come from the priors alone."
    drawn = f"{counted(chains, 'chain')} of {record.draws_per_chain:,} draws"
    factors = _and([plural(group.factor) for group in record.groups])
    if record.engine is EngineName.LATENT:
        levels = {group.factor: group.levels for group in record.groups}
        largest = plural(max(record.model.groups, key=lambda own: levels[own.factor] * len(own.terms)).factor)
        how = "independence Metropolis (Tierney, 1994)"
        if not _is_independent(record):
            drawn = f"{drawn} after {record.start.warmup if record.start else 0:,} iterations of warmup"
            how = "Hamiltonian Monte Carlo (Neal, 2011)"
        yield (
            f"Effects of {largest} were integrated out by adaptive Gauss-Hermite quadrature with "
            f"{manifest.get('nodes')} nodes for each (Pinheiro & Bates, 1995); all other parameters were drawn by "
            f"{how}, and these effects given them: {drawn} (seed {seed})."
        )
        return
    if record.engine is EngineName.MARGINAL:
        yield (
            f"Effects of {factors}, and coefficients, were integrated out analytically; standard deviations and "
            f"correlations were drawn by independence Metropolis (Tierney, 1994), and the rest given them: {drawn} "
            f"(seed {seed})."
        )
        return
    stan = f"Stan {manifest['stan']}" if isinstance(manifest.get("stan"), str) else "Stan"
    integrated = ""
    if record.engine is EngineName.COLLAPSED:
        integrated = f", effects of {factors} being integrated out analytically and drawn given the rest"
    yield (
        f"Draws from the posterior are those of the No-U-Turn sampler (Hoffman & Gelman, 2014) of {stan} (Carpenter et "
        f"al., 2017){integrated}: {drawn} after {start_text(record)} (seed {seed})."
    )


def _checks_sentence(record: RunRecord) -> str:
    checks = record.checks
    divergent = ""
    if not _is_independent(record):
        divergent = f"; {checks.divergent:,} of {checks.n_draws:,} draws diverged"
    return (
        f"R-hat was at most {checks.rhat_max:.3f}, and there were at least {format_count(checks.ess_bulk_min)} "
        f"effective draws of the bulk and {format_count(checks.ess_tail_min)} of the tails of every population-level "
        f"parameter (Vehtari et al., 2021){divergent}."
    )


def _and(names: list[str]) -> str:
    """Return "a, b and c"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
