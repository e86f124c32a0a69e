"""Divisions of the variance -> the cells of their tables, and the sentences that say what they are of."""

from __future__ import annotations

from collections.abc import Iterator

from hierfit.design.design import Design
from hierfit.model.families import FAMILIES, SIGMA, LinkScale, Support
from hierfit.model.variances import HIDDEN_VARIANCE
from hierfit.plain import to_plain
from hierfit.posterior.digits import format_row, format_share
from hierfit.posterior.variance.answer import Component, Division, Scale, VarianceAnswer
from hierfit.posterior.variance.estimates import Estimate
from hierfit.told.cells import interval_title

_NUMBERS = ("mean", "sd", "lower", "upper")
_DISTRIBUTION = {"logit": "logistic", "probit": "normal", "cloglog": "extreme-value"}


def division_title(division: Division, design: Design) -> str:
    """Return what a division is of: "Latent scale (logit), where ses = 0"."""
    family = FAMILIES[design.family]
    if division.scale == "latent":
        what = "log" if family.link_scale is LinkScale.AROUND else design.link
        title = f"Latent scale ({what})"
    else:
        title = f"Scale of {design.response}{' (one trial)' if family.has_trials else ''}"
    held = ", ".join(f"{column} = {value}" for column, value in division.at.items())
    return f"{title}, where {held}" if held else title


def division_cells(division: Division, ci: float) -> list[list[str]]:
    """Return the cells of a division, the header first."""
    interval = interval_title(ci)
    of_all = division.components[0].kind == "predictors"
    rows = [["", "variance", interval, "ICC", interval, *(["of all"] if of_all else [])]]
    for component in division.components:
        mean, interval = _told(component.variance)
        share = component.share
        shares = ["", ""] if share is None else [format_share(share.mean), _shares(share)]
        rows.append([component.name, mean, interval, *shares])
        rows[-1] += [format_share(component.share_of_all.mean)] if of_all else []
    return rows


def _told(number: Estimate) -> tuple[str, str]:
    """Return mean and interval, which what is fixed has not."""
    mean, _, lower, upper = format_row(number.mean, number.sd, number.lower, number.upper)
    return mean, "" if number.sd == 0 else f"{lower} to {upper}"


def _shares(number: Estimate) -> str:
    return f"{format_share(number.lower)} to {format_share(number.upper)}"


def r2_cells(found: VarianceAnswer, ci: float) -> list[list[str]]:
    """Return the cells of R2, the header first."""
    several = any(own.kind == "marginal" for own in found.r2) or bool(found.divisions)
    rows = [["", "mean", "sd", interval_title(ci)]]
    for own in found.r2:
        mean, sd, lower, upper = format_row(own.r2.mean, own.r2.sd, own.r2.lower, own.r2.upper)
        rows.append([f"R2 {own.kind}" if several else "R2", mean, sd, f"{lower} to {upper}"])
    return rows


def variance_sentences(found: VarianceAnswer, design: Design) -> list[str]:
    """Return what a reader has to know of an answer."""
    sentences = []
    if found.divisions:
        several = len(design.groups) > 1
        if any(part.kind == "predictors" for division in found.divisions for part in division.components):
            sentences.append("ICC: the share of the variance that the predictors leave; of all: with theirs.")
        scales = {division.scale for division in found.divisions}
        sentences += [*_residuals(design, scales), *_missing(design, scales), *_averaged(found)]
        if several and "outcome" in scales and design.link != "identity":
            sentences.append(
                f"On the scale of {design.response} each factor alone has less than all groups together: under the "
                f"{design.link} link their effects do not add up there."
            )
    return [*sentences, _r2(found, design)]


def _residuals(design: Design, scales: set[Scale]) -> Iterator[str]:
    family = FAMILIES[design.family]
    if family.link_scale is LinkScale.HIDDEN and "latent" in scales:
        number = {"logit": "pi^2 / 3", "probit": "1", "cloglog": "pi^2 / 6"}[design.link]
        assert design.link in HIDDEN_VARIANCE
        yield f"The residual of the latent scale is that of the {_DISTRIBUTION[design.link]} distribution, {number}."
    if family.link_scale is LinkScale.LOG:
        terms = [*["1 / mean"] * (family.support is Support.COUNT), *["1 / shape"] * bool(family.auxiliaries)]
        yield f"The residual of the latent scale is ln(1 + {' + '.join(terms)}), the lognormal approximation."
    differs = design.predictor(SIGMA) is not None or design.precision is not None
    if family.link_scale is LinkScale.AROUND and differs:
        yield "Rows differ in sigma: the residual is the mean of their variances."


def _missing(design: Design, scales: set[Scale]) -> Iterator[str]:
    """Yield why there is one scale alone."""
    family = FAMILIES[design.family]
    if family.has_thresholds:
        yield "Ordered categories are no numbers: there is no variance on the scale of the outcome."
    elif family.link_scale is LinkScale.NONE:
        two_parts = any(auxiliary.upper == 1 for auxiliary in family.auxiliaries)
        why = "the outcome has two parts with a link each" if two_parts else "phi has no accepted counterpart there"
        yield f"There is no division on the scale of the link: {why}."


def _averaged(found: VarianceAnswer) -> Iterator[str]:
    """Yield over what the numbers of the outcome's scale are averaged, where that is not all there is."""
    own = [division for division in found.divisions if division.sampled]
    if own:
        yield f"The scale of the outcome is averaged over {max(d.rows for d in own):,} rows drawn at random."


def _r2(found: VarianceAnswer, design: Design) -> str:
    what = design.response if found.r2[0].scale == "outcome" else "the variable behind the categories"
    said = "; conditional: with the effects of groups; marginal: without" if len(found.r2) > 1 else ""
    rows = found.r2[0].rows
    some = f", {rows:,} of them drawn at random" if rows < design.n_rows else ""
    return f"R2: the share of the variance of {what} that the expected values of the rows have{some}{said}."


def variance_rows(found: VarianceAnswer) -> Iterator[list[object]]:
    """Yield a header, and a row for each number: variances, shares, and R2."""
    held = list(dict.fromkeys(column for division in found.divisions for column in division.at))
    yield ["scale", *(f"at {column}" for column in held), "component", "kind", "what", *_NUMBERS]
    for division in found.divisions:
        at = [division.at.get(column, "") for column in held]
        for component in division.components:
            for what, number in _numbers_of(component):
                yield [division.scale, *at, component.name, component.kind, what, *_flat(number)]
    for own in found.r2:
        yield [own.scale, *([""] * len(held)), "", own.kind, "R2", *_flat(own.r2)]


def _numbers_of(component: Component) -> Iterator[tuple[str, Estimate]]:
    yield "variance", component.variance
    if component.share is not None:
        yield "share", component.share
    yield "share_of_all", component.share_of_all


def _flat(number: Estimate) -> list[object]:
    return ["" if value is None else value for value in to_plain(number).values()]
