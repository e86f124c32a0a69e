"""The options of `fit` and `priors` as typed -> FitRequest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hierfit.cli.options.contrasts import given_contrasts
from hierfit.cli.options.fit import FitOptions
from hierfit.cli.options.model import MODEL_FLAGS, ModelOptions
from hierfit.cli.options.pairs import pairs
from hierfit.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from hierfit.model.formula import Formula
    from hierfit.model.request import FitRequest
    from hierfit.model.roles import Roles


def request_from(options: ModelOptions) -> FitRequest:
    """Return what the options ask for.

    Raises:
        UsageError, FormulaError: the options contradict each other or say too little.
    """
    if options.data is None:
        raise _too_little(options)
    formula = with_predictors(model_formula(options), options)
    roles = with_offset(given_roles(options), formula)  # from here on numpy is loaded: not before the flags are good
    from hierfit.model.request import FitRequest

    request = FitRequest(
        data_file(options.data),
        formula,
        priors=tuple(options.prior or ()),
        family=options.family,
        link=options.link,
        roles=roles,
        na=tuple(options.na or ()),
        centered=not options.no_center,
        standardize=options.standardize,
    )
    return _with_sampling(request, options) if isinstance(options, FitOptions) else request


def _with_sampling(request: FitRequest, options: FitOptions) -> FitRequest:
    """Return the request with what only `fit` asks: sampler, engine, toolchain, intervals."""
    from hierfit.sampling import SamplerOptions

    sampler = SamplerOptions(
        chains=options.chains,
        warmup=options.warmup,
        draws=options.draws,
        seed=options.seed,
        adapt_delta=options.adapt_delta,
        max_treedepth=options.max_treedepth,
        parallel_chains=options.parallel_chains,
    )
    return replace(
        request,
        prior_only=options.prior_only,
        ci=options.ci,
        engine=options.engine.value,
        toolchain=options.toolchain.value,
        until_ess=how_long(options),
        sampler=sampler,
    )


def data_file(given: Path) -> Path:
    """Return the file that is named, or for `-` what stands for standard input."""
    from hierfit.data.source import STDIN

    return STDIN if str(given) == "-" else given


def given_roles(options: ModelOptions) -> Roles:
    """Return the further columns and the levels that the options name."""
    references = pairs("--reference", options.reference, "sector=Public")
    levels = _levels(options.levels or ())
    from hierfit.model.roles import Roles

    return Roles(
        options.trials,
        options.offset,
        options.weights,
        references,
        levels,
        exposure=options.exposure,
        precision=options.precision_weights,
        contrasts=given_contrasts(options.contrasts),
    )


def with_offset(roles: Roles, formula: Formula) -> Roles:
    """Return the roles with the offset that a formula names.

    Raises:
        UsageError: --offset names another.
    """
    if formula.offset is None:
        return roles
    if roles.offset not in (None, formula.offset):
        raise UsageError(
            f"--formula has offset({formula.offset}), --offset names {roles.offset}.", hint="leave one of them out"
        )
    return replace(roles, offset=formula.offset)


def how_long(options: FitOptions) -> int | None:
    """Return the effective draws to reach: --draws alone asks for a fixed number of draws, which is None here.

    With --until-ess, --draws is the length of a round.
    """
    if "draws" in options.typed and "until_ess" not in options.typed:
        return None
    return options.until_ess or None


def model_formula(options: ModelOptions) -> Formula:
    """Return the model of --formula, or of --y, --x, --group and --slope."""
    from hierfit.model.formula import formula_from_flags
    from hierfit.model.formula_text import parse_formula

    if options.formula is not None and options.y is None:
        beside = options.said(*MODEL_FLAGS)
        if beside:
            raise UsageError(
                f"--formula says it all; {', '.join(beside)} cannot be given beside it.",
                hint="write it into the formula",
            )
        return parse_formula(options.formula)
    if options.formula is not None or options.y is None:
        raise _too_little(options)
    return formula_from_flags(
        options.y,
        options.x or (),
        options.group,
        options.slope or (),
        varying_intercept=not options.no_varying_intercept,
        correlated=not options.uncorrelated,
    )


def _too_little(options: ModelOptions) -> UsageError:
    return UsageError(
        f"{options.command} needs a CSV file, and either --y or --formula.",
        hint=f"hierfit {options.command} data.csv --y COLUMN --group COLUMN",
    )


def with_predictors(formula: Formula, options: ModelOptions) -> Formula:
    """Return the formula with what --sigma, --zi, ... say."""
    from hierfit.model.formula_text import parse_predictor
    from hierfit.model.grammar import PREDICTABLE

    for name in PREDICTABLE:
        text: str | None = getattr(options, name)
        if text is not None:
            if (said := formula.predictor(name)) is not None:
                raise UsageError(f"--formula says '{said}' already.", hint=f"leave out --{name}")
            formula = formula.with_predictor(parse_predictor(name, text))
    return formula


def _levels(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Read COLUMN=LEVEL,LEVEL,... texts."""
    from hierfit.design.levels import parse_levels

    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        column, levels = parse_levels(text)
        if column in found:
            raise UsageError(f"--levels names the column '{column}' twice.", hint="give each column one order")
        found[column] = levels
    return found
