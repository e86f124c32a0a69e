"""A small run: what its run.json holds, and a folder that holds little more."""

from pathlib import Path
from typing import Any

from hierfit.design.learnt_terms import LearntTerms
from hierfit.disk.folder import claimed
from hierfit.disk.writing import write_text
from hierfit.engines.names import EngineName
from hierfit.model.formula import Formula
from hierfit.model.priors import Prior
from hierfit.model.request import FitRequest
from hierfit.model.spec import ModelSpec
from hierfit.plain import to_plain
from hierfit.posterior.diagnostics import Diagnosis, Level
from hierfit.runs.files import MANIFEST, write_manifest, written
from hierfit.runs.record import DataRecord, RunRecord, SecondsRecord
from hierfit.sampling import SamplerOptions

FORMULA = Formula("y")
PRIORS = {"Intercept": Prior("flat", (), "none"), "sigma": Prior("exponential", (1.0,), "none")}
RECORD = RunRecord(
    hierfit="0.1.0",
    request=FitRequest(Path("/data.csv"), FORMULA, sampler=SamplerOptions(warmup=10)),
    data=DataRecord("data.csv", "0" * 64, 3, 2, ("y",), {"y": 1}),
    groups=(),
    formula="y ~ 1",
    model=ModelSpec(FORMULA, "gaussian", "identity", (), (), PRIORS),
    engine=EngineName.FULL,
    program_sha256="0" * 64,
    draws_per_chain=10,
    seconds=SecondsRecord(1.0, 0.1, 0.2, 0.7),
    status="ok",
    references={},
    categories=(),
    x_mean={},
    terms=LearntTerms(),
    checks=Diagnosis(Level.OK, (), None, (), 1.0, 400.0, 400.0, 0, 10, 1.0),
)
CONTENT: dict[str, Any] = {name: value for name, value in to_plain(RECORD).items() if name != "files"}


def make_run(folder: Path, mark: str = "first") -> Path:
    """Write run.json and a summary.csv that holds the mark."""
    with claimed(folder) as place, place.replacing(written(folder), MANIFEST) as draft:
        write_text(draft / "summary.csv", mark)
        write_manifest(draft, CONTENT | {"hierfit": "0.1.0"})
    return folder
