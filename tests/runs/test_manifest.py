import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hierfit.data.table import read_table
from hierfit.design.building import build_design
from hierfit.design.prior_choice import build_spec
from hierfit.engines.built import Built
from hierfit.engines.collapsed.reduction import collapse
from hierfit.engines.collapsed.source import CollapsedSource
from hierfit.model.formula import formula_from_flags
from hierfit.model.request import FitRequest
from hierfit.model.spec import ModelSpec
from hierfit.plain import from_plain
from hierfit.runs.manifest import describe_model, describe_outcome, describe_tools
from hierfit.stan.programs import StanProgram
from tests.fake_sampling import EXECUTABLE
from tests.model.cases import design, small_spec


@pytest.fixture
def model(tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "data.csv"
    path.write_text("y,a,g\n1,2,u\n2,1,u\n4,3,v\n,1,v\n2,NA,w\n3,3,u\n5,4,w\n")
    formula = formula_from_flags("y", ["a"], "g")
    table = read_table(path, [formula.response, *formula.predictors], formula.factors)
    design = build_design(formula, table)
    spec = build_spec(formula, design, ["a ~ normal(0, 1)"])
    described = json.loads(json.dumps(describe_model(FitRequest(path, formula), table, design, spec)))
    assert from_plain(ModelSpec, described["model"]) == spec
    return {"path": str(path), **described}


def test_the_data_are_described(model: dict[str, Any]) -> None:
    data = model["data"]
    assert len(data.pop("sha256")) == 64
    assert data == {
        "path": model["path"],
        "dialect": {"delimiter": ",", "decimal": ".", "encoding": "utf-8"},
        "rows_read": 7,
        "rows": 5,
        "missing": {"y": 1, "a": 1},
        "missing_spelled": {},
        "columns": ["y", "a", "g"],
    }
    assert model["groups"] == [
        {
            "factor": "g",
            "levels": 3,
            "means": {},
            "rows_min": 1,
            "rows_mean": pytest.approx(5 / 3),
            "rows_max": 3,
            "single_row": 2,
        }
    ]


def test_the_model_is_described(model: dict[str, Any]) -> None:
    assert model["formula"] == "y ~ 1 + a + (1 | g)"
    assert model["x_mean"] == {"a": pytest.approx(13 / 5)}
    assert list(model["model"]["priors"]) == ["Intercept", "a", "sd(g)", "sigma"]
    assert model["model"]["priors"]["a"] == {
        "distribution": "normal",
        "arguments": [0, 1],
        "source": "set by --prior",
    }
    assert from_plain(FitRequest, model["request"]).data == Path(model["path"])


def test_the_tools_are_described() -> None:
    made, spec = design(), small_spec()
    built = Built(StanProgram("gaussian", ""), EXECUTABLE, "g++ 12.2.0")
    tools = describe_tools(CollapsedSource(built, spec, made, collapse(spec, made), {"N": 30}))
    assert (tools["engine"], tools["toolchain"], tools["stan"]) == ("collapsed", "bundled", "2.35.0")
    assert tools["compiler"] == "g++ 12.2.0"
    assert tools["program_sha256"] == built.program.digest
    assert {"python", "arviz-stats", "cmdstanpy", "numpy", "pandas", "xarray"} <= set(tools["versions"])
    assert json.dumps(tools)


@pytest.mark.parametrize(
    ("verdict", "interrupted", "status"),
    [("ok", False, "ok"), ("warn", False, "warn"), ("fail", False, "failed-checks"), ("fail", True, "interrupted")],
)
def test_the_outcome_is_described(verdict: str, interrupted: bool, status: str) -> None:
    outcome = describe_outcome({"total": 1.23456}, {"status": verdict}, ["hierfit", "fit"], interrupted=interrupted)
    assert outcome["status"] == status
    assert outcome["checks"] == {"status": verdict}
    assert outcome["seconds"] == {"total": 1.235}
    assert outcome["argv"] == ["hierfit", "fit"]
    assert datetime.fromisoformat(outcome["finished"]).tzinfo is not None
