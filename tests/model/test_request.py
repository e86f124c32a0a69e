import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hierfit.model.formula import Formula, GroupTerm
from hierfit.model.request import FitRequest
from hierfit.model.roles import Roles
from hierfit.plain import UnexpectedError, from_plain, to_plain
from hierfit.sampling import SamplerOptions

REQUEST = FitRequest(
    Path("/data/pupils é.csv"),
    Formula("score", ("ses", "a b"), (GroupTerm("school", True, ("ses",), False), GroupTerm("district")), False),
    priors=("ses ~ normal(0, 1)", "sigma ~ exponential(2)"),
    roles=Roles("n", "t", "w", {"sector": "Public"}, {"sector": ("Church", "Public"), "score": ("a", "b, c")}),
    centered=False,
    standardize=True,
    prior_only=True,
    ci=0.9,
    engine="full",
    toolchain="bundled",
    sampler=SamplerOptions(chains=3, warmup=7, draws=11, seed=5, adapt_delta=0.95, max_treedepth=12, parallel_chains=2),
)


@pytest.mark.parametrize("request_", [REQUEST, FitRequest(Path("/a.csv"), Formula("y"))], ids=["full", "plain"])
def test_a_request_comes_back_from_json(request_: FitRequest) -> None:
    assert from_plain(FitRequest, json.loads(json.dumps(to_plain(request_)))) == request_


def test_a_request_from_before_levels_and_standardize_is_read() -> None:
    stored = to_plain(REQUEST)
    del stored["roles"]["levels"], stored["standardize"]
    found = from_plain(FitRequest, stored)
    assert found == replace(REQUEST, roles=replace(REQUEST.roles, levels={}), standardize=False)


def test_the_data_file_is_found_from_anywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    stored = to_plain(replace(REQUEST, data=Path("data.csv")).from_anywhere())
    monkeypatch.chdir("/")
    assert from_plain(FitRequest, stored).data == tmp_path / "data.csv"


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"data": 1},
        {"formula": None},
        {"formula": {"response": "y"}},
        {"priors": None},
        {"sampler": {"chain": 4}},
        {"sampler": None},
        {"roles": {"levels": ["low", "high"]}},
        {"roles": None},
        {"colour": "red"},
    ],
    ids=str,
)
def test_a_broken_request_is_refused(broken: dict[str, Any]) -> None:
    stored = to_plain(REQUEST) | broken if broken else {}
    with pytest.raises(UnexpectedError) as refused:
        from_plain(FitRequest, stored)
    assert refused.value.where.startswith(next(iter(broken), "data"))


def test_the_seed_that_was_used() -> None:
    seeded = REQUEST.with_seed(99)
    assert seeded.sampler.seed == 99
    assert seeded.with_seed(5) == REQUEST
