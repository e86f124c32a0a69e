"""`fit --from RUN`: what is given changes the run's own request, and nothing else does."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hierfit import workflow
from hierfit.model.formula_text import parse_formula
from hierfit.model.request import FitRequest
from hierfit.model.roles import Roles
from hierfit.runs import finished
from tests.cli.conftest import Cli


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[FitRequest]:
    """Return the requests that the command line comes to, in place of fits."""
    seen: list[FitRequest] = []

    class Asked(Exception):
        pass

    def prepare(request: FitRequest) -> None:
        seen.append(request)
        raise KeyboardInterrupt

    monkeypatch.setattr(workflow, "prepare", prepare)
    return seen


def changed(cli: Cli, asked: list[FitRequest], run: Path, *options: str) -> tuple[FitRequest, FitRequest]:
    cli("fit", "--from", run, "--out", "new")
    cli("fit", "--from", run, "--out", "new", *options)
    return asked[-2], asked[-1]


@pytest.mark.parametrize(
    ("options", "changes"),
    [
        (["--family", "student"], {"family": "student"}),
        (["--ci", "0.9"], {"ci": 0.9}),
        (["--engine", "full"], {"engine": "full"}),
        (["--no-center"], {"centered": False}),
        (["--prior-only"], {"prior_only": True}),
        (["--standardize"], {"standardize": True}),
        (["other.csv"], {"data": Path("other.csv")}),
        (["--draws", "4000"], {"until_ess": None}),
        (["--until-ess", "900"], {"until_ess": 900}),
    ],
)
def test_one_thing_changes(
    cli: Cli, run: Path, asked: list[FitRequest], options: list[str], changes: dict[str, Any]
) -> None:
    before, after = changed(cli, asked, run, *options)
    assert replace(after, sampler=before.sampler) == replace(before, **changes)


@pytest.mark.parametrize(("name", "value"), [("seed", 7), ("chains", 2), ("draws", 4000), ("adapt_delta", 0.99)])
def test_the_sampler_changes(cli: Cli, run: Path, asked: list[FitRequest], name: str, value: float) -> None:
    before, after = changed(cli, asked, run, "--" + name.replace("_", "-"), str(value))
    assert after.sampler == replace(before.sampler, **{name: value})


def test_priors_change_parameter_by_parameter(cli: Cli, run: Path, asked: list[FitRequest]) -> None:
    cli("fit", "--from", run, "--out", "new", "--prior", "ses ~ normal(0, 1)", "--prior", "sigma ~ normal(0, 3)")
    assert asked[-1].priors == ("ses ~ normal(0, 1)", "sigma ~ normal(0, 3)")


def test_the_file_is_named_as_it_was_where_that_names_it(
    cli: Cli, run: Path, asked: list[FitRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run.absolute()
    data = finished.stored_request(run).data
    assert data.is_absolute(), "it was fitted in another folder"
    monkeypatch.chdir(data.parent)
    given, _ = changed(cli, asked, run, "--seed", "3")
    assert given.data == Path("data.csv") == finished.stored_request(run).data


def test_the_model_changes(cli: Cli, run: Path, asked: list[FitRequest]) -> None:
    def formula(*options: str) -> str:
        cli("fit", "--from", run, "--out", "new", *options)
        return str(asked[-1].formula)

    assert formula() == "score ~ 1 + ses + (1 + ses | school)"
    assert formula("--uncorrelated") == "score ~ 1 + ses + (1 + ses || school)"
    assert formula("--formula", "score ~ 1 + (1 | school)") == "score ~ 1 + (1 | school)"
    assert formula("--y", "score", "--group", "school") == "score ~ 1 + (1 | school)"
    assert formula("--sigma", "ses") == str(parse_formula("score ~ 1 + ses + (1 + ses | school); sigma ~ ses"))


def test_references_and_levels_go_with_their_columns(
    cli: Cli, run: Path, asked: list[FitRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    roles = Roles(references={"sector": "Public"}, levels={"grade": ("2", "1"), "sector": ("Public", "Private")})
    formula = parse_formula("score ~ ses + sector + (0 + grade | school)")
    stored = replace(finished.stored_request(run), formula=formula, roles=roles)
    monkeypatch.setattr(finished, "stored_request", lambda run: stored)
    before, after = changed(cli, asked, run, "--formula", "score ~ ses + (0 + grade | school)")
    assert before.roles == roles
    assert after.roles == Roles(levels={"grade": ("2", "1")})


def test_half_a_model_is_refused_with_the_whole(cli: Cli, run: Path) -> None:
    said = cli("fit", "--from", run, "--group", "school", "--x", "ses")
    assert said.code == 2
    assert "beside --from, --x, --group says half a model" in said.err
    assert "--formula 'score ~ 1 + ses + (1 + ses | school)'" in said.err
