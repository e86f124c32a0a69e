"""Models with one factor, their latent density, and the same density put together in numpy in the units of the CSV."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hierfit.design.blocks import lay_out_groups
from hierfit.design.design import Design
from hierfit.design.distributional import evaluate_predictor, predictor_columns
from hierfit.design.origin import predictor_center, predictor_location, z_center
from hierfit.design.prior_choice import build_spec
from hierfit.design.terms import evaluate_terms
from hierfit.engines.latent.density import LatentDensity
from hierfit.engines.latent.kernel import KernelPoints, LatentRows
from hierfit.engines.latent.parameters import latent_parameters
from hierfit.engines.latent.posterior import LatentPosterior, find_posterior
from hierfit.engines.latent.rows import latent_rows
from hierfit.engines.latent.units import in_csv_units
from hierfit.engines.proposal import Pilot, Proposal
from hierfit.model.families import FAMILIES
from hierfit.model.formula_text import parse_formula
from hierfit.model.spec import ModelSpec, coefficient_name, cor_name, sd_name, threshold_name
from tests.engines.latent.kernels import AUX_LINKS, by_level, case_of, kernel
from tests.family_cases import FamilyCase, family_design
from tests.model.cases import crossed_table

Array = NDArray[np.float64]


def model(
    case: FamilyCase | str, text: str, *priors: str, centered: bool = True, further: bool = False
) -> tuple[ModelSpec, Design]:
    """40 rows of 8 levels of g, and a formula on them; `further`: with an offset and weights."""
    case = case_of(case) if isinstance(case, str) else case
    formula, table = parse_formula(text), crossed_table()
    made, family = family_design(case, further=further, centered=centered), FAMILIES[case.family]
    slopes = [evaluate_terms(term.slopes, table, {}, intercept=term.intercept) for term in formula.all_groups]
    columns = [evaluate_predictor(own, formula, table, {"h": "h0"}, family) for own in formula.distributional]
    own = [predictor_columns(each, found, table) for each, found in zip(formula.distributional, columns, strict=True)]
    population = evaluate_terms(formula.terms, table, {}, intercept=True)
    design = replace(
        made,
        coefficients=population.names,
        X=population.values,
        groups=lay_out_groups(formula, slopes, table),
        distributional=tuple(own),
    )
    return build_spec(formula, design, priors), design


def density_of(spec: ModelSpec, design: Design, n_nodes: int = 31) -> LatentDensity:
    group = design.groups[0]
    rows = latent_rows(spec, design, group)
    return LatentDensity(kernel(rows, n_nodes), latent_parameters(spec, design, group, 0.7))


def points_of(density: LatentDensity, n: int = 4, spread: float = 0.3, seed: int = 3) -> Array:
    """Real numbers near where the search for a mode begins, inside their ends [n, d]."""
    parameters = density.parameters
    near = parameters.start + np.random.default_rng(seed).normal(0, spread, (n, len(parameters.start)))
    lower, upper = parameters.bounds.T
    return np.clip(near, lower + 0.05, upper - 0.05)


def near_posterior(spec: ModelSpec, design: Design, seed: int) -> LatentPosterior:
    """What is found close to a posterior, where there is something."""
    found = find_posterior(spec, design, seed)
    assert isinstance(found, LatentPosterior), found
    return found


def posterior_of(spec: ModelSpec, design: Design, density: LatentDensity) -> LatentPosterior:
    """What chains want to know, without a proposal."""
    d = len(density.parameters.start)
    proposal = Proposal((), (), density.parameters.bounds)
    return LatentPosterior(density, 0.0, design.groups[0], (), proposal, Pilot(np.empty((0, d)), np.empty(0)))


@dataclass(frozen=True)
class Point:
    """One point in the units of the CSV, as chains return it."""

    b: Array
    threshold: Array
    b_aux: Array
    aux: Array
    sd: Array
    cor: Array


def csv_points(spec: ModelSpec, design: Design, density: LatentDensity, real: Array) -> list[Point]:
    found = in_csv_units(posterior_of(spec, design, density), design, real[np.newaxis], 1)
    names = ("b", "threshold", "b_aux", "aux", "sd", "cor")
    return [Point(**{name: found[name][0, at] for name in names}) for at in range(len(real))]


def covariance(point: Point) -> Array:
    """Of the effects at the center of their columns."""
    R = np.eye(len(point.sd))
    if len(point.cor):
        R[np.tril_indices(len(R), -1)] = point.cor
        R = np.tril(R) + np.tril(R, -1).T
    return np.asarray(R * np.outer(point.sd, point.sd))


def raw_rows(spec: ModelSpec, design: Design, point: Point) -> tuple[LatentRows, KernelPoints]:
    """The rows of the CSV with all but the effects in `fixed`, every row for itself, and the rest of the point."""
    group, family, n = design.groups[0], FAMILIES[design.family], design.n_rows
    order = np.argsort(group.codes, kind="stable")
    X = np.column_stack([*([np.ones(n)] * design.intercept), design.X - design.x_mean])
    fixed = X @ point.b + design.intercept_origin * design.intercept
    fixed = fixed + (0.0 if design.offset is None else design.offset)
    own = [design.predictor(auxiliary.name) for auxiliary in family.auxiliaries]
    X_aux = [(each.X - predictor_center(spec, each)).T[:, order] for each in own if each is not None]
    locations = [predictor_location(design, each) for each in own if each is not None]
    rows = LatentRows(
        family=design.family,
        link=family.links.index(design.link),
        start=np.searchsorted(group.codes[order], np.arange(group.n_levels + 1)).astype(np.int64),
        y=design.y[order],
        fixed=fixed[order],
        X=np.empty((0, n)),
        Z=(group.Z - z_center(spec, group)).T[:, order],
        trials=np.empty(0) if design.trials is None else design.trials[order],
        weights=np.empty(0) if design.weights is None else design.weights[order],
        X_aux=np.concatenate([np.empty((0, n)), *X_aux]),
        S_of=np.array([0 if each is None else len(each.coefficients) for each in own], np.int32),
        aux_link=np.array([AUX_LINKS[auxiliary.link] for auxiliary in family.auxiliaries], np.int32),
        aux_most=np.array(
            [
                min(auxiliary.most, 1 - 2.0**-53) if auxiliary.upper == 1 else auxiliary.most
                for auxiliary in family.auxiliaries
            ]
        ),
        n_thresholds=len(point.threshold),
    )
    b_aux = point.b_aux + np.concatenate([np.empty(0), *locations])
    T = np.linalg.cholesky(covariance(point))
    at = KernelPoints(np.empty((1, 0)), T[None], point.aux[None], b_aux[None], point.threshold[None], np.empty((1, 0)))
    return rows, at


def log_likelihood(spec: ModelSpec, design: Design, point: Point) -> float:
    """Log density of the outcome, effects integrated out by the trapezoidal rule."""
    return float(by_level(*raw_rows(spec, design, point)).sum())


def where_priors_speak(spec: ModelSpec, design: Design, point: Point) -> tuple[Array, list[str], Array]:
    """What is not constant: numbers where their priors speak, their names, and the correlation matrix there."""
    group = design.groups[0]
    b = point.b + design.intercept_origin * (np.arange(len(point.b)) == 0) * design.intercept
    found = dict(zip(spec.coefficient_names, b, strict=True))
    found |= dict(zip(map(threshold_name, spec.thresholds), point.threshold, strict=True))
    start = 0
    for own in filter(None, (design.predictor(each.name) for each in FAMILIES[design.family].auxiliaries)):
        ours = point.b_aux[start : start + len(own.coefficients)]
        at_prior = ours + predictor_location(design, own)
        if not spec.centered:
            at_prior = at_prior - (np.arange(len(ours)) == 0) * float(ours @ predictor_center(spec, own))
        found |= {coefficient_name(own.parameter, term): v for term, v in zip(own.coefficients, at_prior, strict=True)}
        start += len(own.coefficients)
    for auxiliary, value in zip(FAMILIES[design.family].auxiliaries, point.aux, strict=True):
        if design.predictor(auxiliary.name) is None:
            found[auxiliary.name] = value
    way = np.eye(len(point.sd))
    if not spec.centered:
        way[0, 1:] = -z_center(spec, group)[1:]
    V = way @ covariance(point) @ way.T
    sd = np.sqrt(np.diag(V))
    R = V / np.outer(sd, sd)
    found |= {sd_name(group.factor, term): own for term, own in zip(group.terms, sd, strict=True)}
    names = [name for name in found if spec.priors[name].constant is None]
    cor = R[np.tril_indices(len(R), -1)] if group.correlated else np.empty(0)
    return np.concatenate([[found[name] for name in names], cor]), names, R


def log_prior(spec: ModelSpec, design: Design, point: Point) -> float:
    """By scipy's densities."""
    values, names, R = where_priors_speak(spec, design, point)
    ranges = {auxiliary.name: auxiliary.within for auxiliary in FAMILIES[design.family].auxiliaries}
    group, total = design.groups[0], 0.0
    ranges |= {sd_name(group.factor, term): (0.0, np.inf) for term in group.terms}
    for name, value in zip(names, values, strict=False):
        prior = spec.priors[name]
        if prior.distribution != "flat":
            total += float(np.log(prior.density(np.array(value), within=ranges.get(name, (-np.inf, np.inf)))))
    if group.correlated:
        total += (spec.priors[cor_name(group.factor)].arguments[0] - 1) * float(np.linalg.slogdet(R)[1])
    return total


def log_slope(spec: ModelSpec, design: Design, density: LatentDensity, real: Array, step: float = 1e-4) -> float:
    """Log determinant of the derivatives of what priors speak of in the real numbers [d], by differences of order 4."""
    d, weights = len(real), {1: 2 / 3, 2: -1 / 12}
    slopes = np.zeros((d, d))
    for times, weight in weights.items():
        steps = times * step * np.concatenate([np.eye(d), -np.eye(d)])
        around = csv_points(spec, design, density, real + steps)
        values = np.array([where_priors_speak(spec, design, point)[0] for point in around])
        slopes += weight * (values[:d] - values[d:]) / step
    return float(np.linalg.slogdet(slopes)[1])


def numpy_density(spec: ModelSpec, design: Design, density: LatentDensity, real: Array) -> Array:
    """Likelihood times priors times slopes of points [s, d], up to a constant [s]."""
    points = csv_points(spec, design, density, real)
    parts: Sequence[tuple[float, ...]] = [
        (log_likelihood(spec, design, point), log_prior(spec, design, point), log_slope(spec, design, density, own))
        for point, own in zip(points, real, strict=True)
    ]
    return np.sum(parts, axis=1)
