import json
from pathlib import Path
from typing import Any

import pytest

from hierfit.plain import UnexpectedError
from hierfit.runs.record import read_record
from tests.cli.conftest import fitted  # noqa: F401
from tests.edits import DELETED, Place, edited


@pytest.fixture
def content(fitted: Path) -> Any:  # noqa: F811
    return json.loads((fitted / "run.json").read_text())


def test_the_run_json_of_a_run_is_read(content: Any) -> None:
    record = read_record(content)
    assert record.model.groups[0].terms == ("Intercept", "ses")
    assert record.request.formula == record.model.formula
    assert (record.chains, record.draws_per_chain, record.data.rows) == (4, 250, 32)


def test_what_early_versions_did_not_say_has_its_default(content: Any) -> None:
    for key in ("chains", "rows_sampled", "stands_in", "notes", "files"):
        content = edited(content, (key,), DELETED)
    record = read_record(content)
    assert (record.chains, record.files, record.notes) == (None, None, ())


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (("model", "family"), "gausian", "model.family is \"gausian\"; expected a family. Did you mean 'gaussian'?"),
        (("model", "link"), "log", 'model.link is "log"; expected "identity"'),
        (("model", "groups"), [], 'model.groups has []; expected the factors of its formula, ["school"]'),
        (("model", "groups", 0, "terms"), [], "model.groups[0].terms is []; expected at least one term"),
        (("model", "coefficients"), ["ses", "ses"], 'model.coefficients[1] is "ses" once more; expected each once'),
        (("model", "priors", "sigma"), DELETED, "model.priors.sigma is missing; expected a prior of this parameter"),
        (("model", "priors", "Intercept"), DELETED, "model.priors.Intercept is missing; expected a prior of this"),
        (("model", "priors", "cor(school)"), DELETED, 'model.priors."cor(school)" is missing; expected a prior of'),
        (
            ("model", "priors", "ses", "distribution"),
            "norm",
            'model.priors.ses.distribution is "norm"; expected one of',
        ),
        (("model", "priors", "ses", "arguments"), [1], "model.priors.ses.arguments has 1 numbers; expected mu, sigma"),
        (("model", "priors", "ses", "arguments", 1), -1, "model.priors.ses.arguments[1] is -1; expected a number"),
        (
            ("model", "formula", "terms", 0),
            "ses + x",
            'model.formula.terms[0] is "ses + x"; expected a term of a formula',
        ),
        (
            ("request", "formula", "terms", 0),
            "__import__('os')",
            "request.formula differs; expected what model.formula has",
        ),
        (("request", "prior_only"), True, "request.prior_only differs; expected what model.prior_only has"),
        (("request", "sampler", "draws"), 0, "request.sampler.draws is 0; expected a whole number from 1"),
        (("groups", 0, "factor"), "class", 'groups has ["class"]; expected the factors of the model, ["school"]'),
        (("x_mean",), {}, 'x_mean has []; expected the coefficients of the model, ["ses"]'),
        (("terms", "groups"), [], "terms.groups has 0 elements; expected 1"),
        (("terms", "population"), [], "terms.population has 0 columns; expected those of 1 coefficients"),
        (
            ("terms", "population", 0, "atoms", 0, "columns", 0),
            "age",
            'terms.population[0].atoms[0].columns has "age"; expected "ses"',
        ),
        (
            ("terms", "population", 0, "pieces", 0, "atoms", 0),
            "age",
            'terms.population[0].pieces[0].atoms has "age"; expected "ses"',
        ),
        (("terms", "population", 0, "pieces"), [], "terms.population[0].pieces is []; expected what 1 columns are"),
        (("terms", "groups", 0, 0, "atoms", 0, "columns"), [], "terms.groups[0][0].atoms[0].columns is []; expected"),
        (("data", "rows"), 33, "data.rows is 33; expected at most data.rows_read, 32"),
        (("data", "dialect", "delimiter"), "|", 'data.dialect.delimiter is "|"; expected'),
        (("model", "prior_only"), True, "request.prior_only differs; expected what model.prior_only has"),
        (("start",), None, "start is null; expected an object"),
        (("status",), "fine", 'status is "fine"; expected "ok" or "warn"'),
        (("engine",), "eager", 'engine is "eager"; expected "full" or "collapsed" or "marginal" or "latent"'),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_what_does_not_belong_together_is_refused(content: Any, place: Place, value: Any, words: str) -> None:
    with pytest.raises(UnexpectedError) as refused:
        read_record(edited(content, place, value))
    assert str(refused.value).startswith(words)


def test_a_fit_of_the_priors_says_what_they_imply(content: Any) -> None:
    for part in ("request", "model"):
        content = edited(content, (part, "prior_only"), True)
    with pytest.raises(UnexpectedError, match=r"^prior_predictive is missing; expected what the priors imply"):
        read_record(content)
