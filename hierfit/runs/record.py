"""RunRecord: what run.json holds, by type; read from a file that anybody may have changed.

What is read has the types and ranges of its fields, and its parts belong together: the model is one that hierfit can
show. Whether it is that of the trace is found out when the trace is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from hierfit.data.header import DELIMITERS
from hierfit.data.table import Dialect
from hierfit.design.learnt_terms import LearntTerms
from hierfit.design.terms import Term
from hierfit.engines.names import EngineName
from hierfit.engines.start import Start
from hierfit.errors import did_you_mean
from hierfit.model.families import FAMILIES, Support
from hierfit.model.formula import Formula
from hierfit.model.grammar import INTERCEPT
from hierfit.model.priors import DISTRIBUTIONS, Prior
from hierfit.model.request import FitRequest
from hierfit.model.spec import GroupCoefficients, Kind, ModelSpec, cor_name
from hierfit.notes.note import Note
from hierfit.plain import Count, Later, Positive, UnexpectedError, below, from_plain, shown
from hierfit.posterior.checks import PriorCategories, PriorPredictive
from hierfit.posterior.verdict import Diagnosis


@dataclass(frozen=True)
class DataRecord:
    """The file and what was read of it.

    Attributes:
        path: as the user named it.
        sha256: hex digest of its bytes.
        rows_read: rows of the file.
        rows: those that were used.
        columns: the columns that were used.
        missing: rows without a value, column by column.
        dialect: how the file is written.
        missing_spelled: column of words -> what stood for a missing value -> rows.
    """

    path: str
    sha256: str
    rows_read: Count
    rows: Count
    columns: tuple[str, ...]
    missing: Mapping[str, Count]
    dialect: Later[Dialect] = field(default_factory=Dialect)
    missing_spelled: Later[Mapping[str, Mapping[str, Count]]] = field(default_factory=dict)


@dataclass(frozen=True)
class GroupRecord:
    """One grouping factor: its levels, the rows of each, and the means of the columns of its slopes."""

    factor: str
    levels: Positive
    rows_min: Count
    rows_mean: float
    rows_max: Count
    single_row: Count
    means: Mapping[str, float]


@dataclass(frozen=True)
class SecondsRecord:
    """What it took."""

    total: float
    reading: float
    building: float
    sampling: float


@dataclass(frozen=True)
class FileRecord:
    """One file of the run, as it was saved."""

    bytes: Count
    sha256: str


@dataclass(frozen=True)
class RunRecord:
    """What hierfit reads of run.json; what else stands there is for the reader (see `manifest`).

    Attributes:
        hierfit: version that wrote it.
        request: what was asked for.
        data: the file and what was read of it.
        groups: the grouping factors.
        formula: in its text form.
        model: formula, family and priors.
        engine: how the group effects were dealt with.
        program_sha256: hash of the Stan program that was sampled, or has the posterior that was.
        draws_per_chain: draws of each chain.
        seconds: what it took.
        status: the verdict, or that it was interrupted.
        references: text column -> the level that the others are compared with.
        categories: those of the outcome, in order.
        x_mean: coefficient -> mean of its column.
        terms: what the terms of the formula learnt from the rows.
        checks: the verdict in full.
        chains: how many; None where an early version did not say.
        rounds: how often was sampled.
        rows_sampled: rows that the sampler saw, of which some may stand for several; None where that is not known.
        stands_in: why the full or the collapsed engine did the work of another one.
        notes: what a reader should know of data and model.
        start: how sampling started.
        prior_predictive: what the priors alone say, where there was nothing else.
        files: the other files; None where an early version did not say.
    """

    hierfit: str
    request: FitRequest
    data: DataRecord
    groups: tuple[GroupRecord, ...]
    formula: str
    model: ModelSpec
    engine: EngineName
    program_sha256: str
    draws_per_chain: Positive
    seconds: SecondsRecord
    status: Literal["ok", "warn", "failed-checks", "interrupted"]
    references: Mapping[str, str]
    categories: tuple[str, ...]
    x_mean: Mapping[str, float]
    terms: LearntTerms
    checks: Diagnosis
    chains: Later[Positive | None] = None
    rounds: Later[Positive] = 1
    rows_sampled: Later[Count | None] = None
    stands_in: Later[str | None] = None
    notes: Later[tuple[Note, ...]] = ()
    start: Later[Start | None] = None
    prior_predictive: Later[PriorPredictive | PriorCategories | None] = None
    files: Later[Mapping[str, FileRecord] | None] = None


def read_record(content: Mapping[str, Any]) -> RunRecord:
    """Return what run.json holds.

    Raises:
        UnexpectedError: something is missing, of another type or value, or does not belong to the rest.
    """
    record = from_plain(RunRecord, content, extra=True)
    _check_model(record.model)
    for name in ("formula", "family", "prior_only"):
        if getattr(record.request, name) != getattr(record.model, name):
            raise UnexpectedError(f"request.{name}", f"differs; expected what model.{name} has")
    _check_sizes(record)
    _check_terms(record)
    if record.model.prior_only and record.prior_predictive is None:
        raise UnexpectedError(
            "prior_predictive", "is missing; expected what the priors imply, as model.prior_only says"
        )
    if record.data.dialect.delimiter not in DELIMITERS:
        expected = " or ".join(map(shown, DELIMITERS))
        raise UnexpectedError(
            "data.dialect.delimiter", f"is {shown(record.data.dialect.delimiter)}; expected {expected}"
        )
    return record


def _check_model(model: ModelSpec) -> None:
    if model.family not in FAMILIES:
        raise UnexpectedError(
            "model.family", f"is {shown(model.family)}; expected a family.{did_you_mean(model.family, FAMILIES)}"
        )
    links = FAMILIES[model.family].links
    if model.link not in links:
        raise UnexpectedError("model.link", f"is {shown(model.link)}; expected {' or '.join(map(shown, links))}")
    _check_formula(model.formula, "model.formula")
    _same("model.groups", [group.factor for group in model.groups], model.formula.factors, "the factors of its formula")
    for index, group in enumerate(model.groups):
        _check_group(group, f"model.groups[{index}]", model.family)
    for name in ("coefficients", "thresholds"):
        _check_distinct(f"model.{name}", getattr(model, name))
    of_formula = [predictor.parameter for predictor in model.formula.distributional]
    _same("model.distributional", [own.parameter for own in model.distributional], of_formula, "those of its formula")
    for index, own in enumerate(model.distributional):
        where = f"model.distributional[{index}]"
        if FAMILIES[model.family].auxiliary(own.parameter) is None:
            raise UnexpectedError(f"{where}.parameter", f"is {shown(own.parameter)}; expected one of {model.family}")
        _check_distinct(f"{where}.terms", own.terms)
        if not own.terms:
            raise UnexpectedError(f"{where}.terms", "is []; expected at least one term")
    for name, prior in model.priors.items():
        _check_prior(below("model.priors", name), prior)
    for name in _names_of_priors(model):
        if name not in model.priors:
            raise UnexpectedError(below("model.priors", name), "is missing; expected a prior of this parameter")


def _check_group(group: GroupCoefficients, where: str, family: str) -> None:
    """Refuse what varies where its parts do not belong together."""
    _check_distinct(f"{where}.terms", group.terms)
    if not group.terms:
        raise UnexpectedError(f"{where}.terms", "is []; expected at least one term")
    if group.parameters and len(group.parameters) != len(group.terms):
        count = len(group.parameters)
        raise UnexpectedError(f"{where}.parameters", f"has {count} elements; expected one for each term, or none")
    for index, parameter in enumerate(group.parameters):
        if parameter is not None and FAMILIES[family].auxiliary(parameter) is None:
            raise UnexpectedError(f"{where}.parameters[{index}]", f"is {shown(parameter)}; expected one of {family}")
    if any(block.size < 1 for block in group.blocks):
        raise UnexpectedError(f"{where}.further", f"does not leave a term to each block of {len(group.terms)} terms")


def _check_terms(record: RunRecord) -> None:
    """Refuse terms that have other columns than the model has coefficients."""
    model, terms = record.model, record.terms
    if len(terms.groups) != len(model.groups):
        raise UnexpectedError("terms.groups", f"has {len(terms.groups)} elements; expected {len(model.groups)}")
    parameters = [own.parameter for own in model.distributional]
    _same("terms.distributional", list(terms.distributional), parameters, "the parameters of model.distributional")
    wanted = {"terms.population": (terms.population, len(model.coefficients))}
    for own in model.distributional:
        coefficients = sum(name != INTERCEPT for name in own.terms)
        wanted[f"terms.distributional.{own.parameter}"] = (terms.distributional[own.parameter], coefficients)
    for index, (slopes, group) in enumerate(zip(terms.groups, model.groups, strict=True)):
        wanted[f"terms.groups[{index}]"] = (slopes, len(group.terms) - sum(group.is_intercept))
    for where, (learnt, coefficients) in wanted.items():
        columns = sum(sum(term.kept) for term in learnt)
        if columns != coefficients:
            raise UnexpectedError(where, f"has {columns} columns; expected those of {coefficients} coefficients")
        for index, term in enumerate(learnt):
            _check_term(f"{where}[{index}]", term, model.formula.predictors)


def _check_term(where: str, term: Term, known: Sequence[str]) -> None:
    """Refuse a term whose parts do not belong together, or are made from columns that the formula does not use."""
    texts = [atom.text for atom in term.atoms]
    for index, atom in enumerate(term.atoms):
        _within(f"{where}.atoms[{index}].columns", atom.columns, known)
        _within(f"{where}.atoms[{index}].words", atom.words, atom.columns)
        if not atom.columns:
            raise UnexpectedError(f"{where}.atoms[{index}].columns", "is []; expected at least one column")
        if atom.contrasts is not None and not all(map(atom.contrasts.fit, atom.words.values())):
            raise UnexpectedError(
                f"{where}.atoms[{index}].contrasts", "has others than those of the levels of its column"
            )
    if term.kept and not term.pieces:
        raise UnexpectedError(f"{where}.pieces", f"is []; expected what {len(term.kept)} columns are made of")
    for index, piece in enumerate(term.pieces):
        _within(f"{where}.pieces[{index}].atoms", piece.atoms, texts)
        _within(f"{where}.pieces[{index}].reduced", piece.reduced, piece.atoms)


def _within(where: str, names: Iterable[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise UnexpectedError(where, f"has {shown(name)}; expected {' or '.join(map(shown, known)) or 'nothing'}")


def _names_of_priors(model: ModelSpec) -> Iterator[str]:
    """Yield the names under which the priors of a model stand."""
    yield from model.coefficient_names
    for parameter in model.parameters:
        if parameter.kind is Kind.CORRELATION:
            yield cor_name(str(parameter.group))
        elif parameter.kind is not Kind.COEFFICIENT and not parameter.is_at_mean:
            yield parameter.name


def _check_prior(where: str, prior: Prior) -> None:
    if prior.distribution not in DISTRIBUTIONS:
        raise UnexpectedError(
            f"{where}.distribution",
            f"is {shown(prior.distribution)}; expected one of {', '.join(DISTRIBUTIONS)}",
        )
    kind = DISTRIBUTIONS[prior.distribution]
    if len(prior.arguments) != len(kind.arguments):
        names = ", ".join(kind.arguments) or "none"
        raise UnexpectedError(f"{where}.arguments", f"has {len(prior.arguments)} numbers; expected {names}")
    for index, (name, number) in enumerate(zip(kind.arguments, prior.arguments, strict=True)):
        if name in kind.positive and number <= 0:
            raise UnexpectedError(f"{where}.arguments[{index}]", f"is {number:g}; expected a number greater than 0")
    if prior.distribution == "uniform" and prior.arguments[0] >= prior.arguments[1]:
        raise UnexpectedError(f"{where}.arguments", f"is {shown(list(prior.arguments))}; expected the lower end first")


def _check_formula(formula: Formula, where: str) -> None:
    """Refuse a formula whose terms could not stand in one."""
    from hierfit.model.term_text import is_term

    places = {f"{where}.terms": formula.terms}
    groups = {f"{where}.groups": formula.groups}
    for index, predictor in enumerate(formula.distributional):
        places[f"{where}.distributional[{index}].terms"] = predictor.terms
        groups[f"{where}.distributional[{index}].groups"] = predictor.groups
    for inside, terms_of in groups.items():
        places |= {f"{inside}[{index}].slopes": group.slopes for index, group in enumerate(terms_of)}
    for place, terms in places.items():
        for index, term in enumerate(terms):
            if not is_term(term):
                raise UnexpectedError(f"{place}[{index}]", f"is {shown(term)}; expected a term of a formula")
    for inside, terms_of in groups.items():
        _check_distinct(inside, [group.factor for group in terms_of])
    _check_distinct(f"{where}.distributional", [predictor.parameter for predictor in formula.distributional])
    for inside, terms_of in groups.items():
        for index, group in enumerate(terms_of):
            if len(group.crossing) == 1 or (group.crossing and group.factor != ":".join(group.crossing)):
                crossing = shown(list(group.crossing))
                raise UnexpectedError(
                    f"{inside}[{index}].crossing", f"is {crossing}; expected the columns of {shown(group.factor)}"
                )


def _check_sizes(record: RunRecord) -> None:
    """Hold what is said of the model beside it against the model."""
    model, data = record.model, record.data
    factors = [group.factor for group in model.groups]
    _same("groups", [group.factor for group in record.groups], factors, "the factors of the model")
    _same("x_mean", list(record.x_mean), model.coefficients, "the coefficients of the model")
    if record.start is None and record.request.sampler.warmup is None:
        raise UnexpectedError("start", "is null; expected an object")
    if data.rows > data.rows_read:
        raise UnexpectedError("data.rows", f"is {data.rows}; expected at most data.rows_read, {data.rows_read}")
    support, count = FAMILIES[model.family].support, len(record.categories)
    if support is Support.BINARY and count not in (0, 2):
        raise UnexpectedError("categories", f"has {count} elements; expected 2, or none")
    if support is Support.CATEGORIES and count != len(model.thresholds) + 1:
        raise UnexpectedError("categories", f"has {count} elements; expected one more than model.thresholds")


def _same(where: str, found: Sequence[str], expected: Sequence[str], what: str) -> None:
    if sorted(found) != sorted(expected):
        raise UnexpectedError(where, f"has {shown(list(found))}; expected {what}, {shown(list(expected))}")


def _check_distinct(where: str, names: Sequence[str]) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            raise UnexpectedError(f"{where}[{index}]", f"is {shown(name)} once more; expected each once")
