"""How each comparator is told a case, and how its names become hierfit's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.case import Case
from bench.cases import CASES, csv_of
from bench.comparators import COMPARATORS
from bench.comparators.bambi_models import BambiModel
from bench.comparators.contract import Job, Sampling, read_table
from bench.comparators.fit_stan import prior_numbers, stan_data
from bench.comparators.hierfit_command import HierfitCommand
from bench.comparators.r_names import brms_draws, estimates, rstanarm_draws
from bench.comparators.r_packages import R_PACKAGES, RPackage, missing_in_r
from bench.comparators.read_csv import fastest_reader
from bench.comparators.stan_programs import BRMS_STYLE, PROGRAMS, TUTORIAL, population_columns

WITH_PROGRAMS = [case for case in CASES.values() if case.program]


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIERFIT_BENCH_DATA", str(tmp_path / "data"))


R: dict[str, RPackage] = {package.name: package for package in R_PACKAGES}


def job(case: Case, tmp_path: Path, sampling: Sampling | None = None) -> Job:
    return Job(case, tmp_path / "data.csv", tmp_path, tmp_path, sampling or Sampling(), seed=7)


def column(number: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.full((2, 3), number)


def test_hierfit_prepares_with_rows_from_all_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows come group by group, and the first thousands may be one group, which is no model."""
    rows = [f"1,2,{row // 20_000}" for row in range(60_000)]
    (tmp_path / "data.csv").write_text("\n".join(["score,ses,school", *rows]) + "\n")
    ran = []
    monkeypatch.setattr(
        subprocess, "run", lambda words, **_: ran.append(words) or subprocess.CompletedProcess(words, 0, "", "")
    )
    HierfitCommand().prepare(job(CASES["slopes"], tmp_path))
    few = (tmp_path / "few.csv").read_text().splitlines()[1:]
    assert {line.rsplit(",", 1)[1] for line in few} == {"0", "1", "2"}
    assert ["full" in words for words in ran] == [False, True]  # what auto takes, and what it may fall back on


def test_hierfit_is_asked_as_its_tutorial_asks_it(tmp_path: Path) -> None:
    words = HierfitCommand().command(job(CASES["school"], tmp_path))
    assert words[1:4] == ["-m", "hierfit", "fit"]
    assert words[words.index("--formula") + 1] == "score ~ 1 + hours + (1 | school)"
    assert "--no-center" in words
    assert "sd(school) ~ constant(1)" in words
    assert "--draws" not in words  # its own default


def test_hierfit_is_told_how_much_to_sample_only_where_that_is_unusual(tmp_path: Path) -> None:
    words = HierfitCommand().command(job(CASES["slopes"], tmp_path, Sampling(warmup=300, draws=300)))
    assert words[-2:] == ["--draws", "300"]
    assert "--warmup" not in words  # which would choose its engine


@pytest.mark.parametrize("case", WITH_PROGRAMS, ids=lambda case: case.name)
@pytest.mark.parametrize("style", [TUTORIAL, BRMS_STYLE], ids=lambda style: style.name)
def test_a_program_names_a_column_for_every_parameter(case: Case, style: object) -> None:
    comparator = TUTORIAL if style is TUTORIAL else BRMS_STYLE
    text = comparator.program(case).text
    columns = population_columns(text, case)
    assert len(columns) == len(set(columns)) == len(case.parameters)
    assert all(name.split("[")[0] in text.split("\n", 1)[1] for name in columns)


def test_every_program_belongs_to_a_case() -> None:
    known = {f"{style.style}_{case.program}" for style in (TUTORIAL, BRMS_STYLE) for case in WITH_PROGRAMS}
    assert {path.stem for path in PROGRAMS.glob("*.stan")} == known


def test_a_program_without_its_first_line_is_refused() -> None:
    with pytest.raises(ValueError, match="// population:"):
        population_columns("data {\n}", CASES["slopes"])


def test_the_data_of_the_programs(tmp_path: Path) -> None:
    words = {"csv": str(csv_of(CASES["poisson"])), "response": "seizures", "family": "poisson", "factors": "patient"}
    data = stan_data(words | {"predictors": "log_base treated log_base:treated"})
    assert (data["N"], data["K"], data["J_1"]) == (236, 3, 59)
    assert data["X"].shape == (236, 3)
    np.testing.assert_allclose(data["X"][:, 2], data["X"][:, 0] * data["X"][:, 1])
    assert (min(data["g_1"]), max(data["g_1"])) == (1, 59)


def test_the_numbers_of_brms_priors() -> None:
    import pandas as pd

    # brms: student_t(3, round(median, 1), max(2.5, round(mad, 1))) of the linked outcome.
    assert prior_numbers(pd.Series([1.0, 2.0, 4.0, 8.0, 100.0]), "gaussian") == {"location": 4.0, "scale": 4.4}
    assert prior_numbers(pd.Series([1.0, 2.0, 3.0]), "poisson") == {"location": 0.7, "scale": 2.5}
    assert prior_numbers(pd.Series([0.0, 1.0]), "bernoulli") == {"location": 0.0, "scale": 2.5}


def test_population_tables_become_chains_by_draws(tmp_path: Path) -> None:
    (tmp_path / "population.csv").write_text('"chain","a b"\n1,1\n1,2\n2,3\n2,4\n')
    (tmp_path / "seconds.json").write_text('{"sampling": 1.5}')
    columns, seconds = read_table(tmp_path)
    assert columns["a b"].tolist() == [[1, 2], [3, 4]]
    assert seconds == 1.5


def test_names_of_brms() -> None:
    columns = {
        "b_Intercept": column(1),
        "b_ses": column(2),
        "sd_school__Intercept": column(3),
        "sd_school__ses": column(4),
        "cor_school__Intercept__ses": column(5),
        "sigma": column(6),
    }
    draws = brms_draws(columns, CASES["slopes"])
    assert tuple(draws) == CASES["slopes"].parameters
    assert [float(values[0, 0]) for values in draws.values()] == [1, 2, 3, 4, 5, 6]


def test_names_of_rstanarm_and_its_covariances() -> None:
    columns = {
        "(Intercept)": column(1),
        "ses": column(2),
        "Sigma[school:(Intercept),(Intercept)]": column(9),
        "Sigma[school:ses,(Intercept)]": column(3),
        "Sigma[school:ses,ses]": column(4),
        "sigma": column(6),
    }
    draws = rstanarm_draws(columns, CASES["slopes"])
    assert tuple(draws) == CASES["slopes"].parameters
    assert [float(values[0, 0]) for values in draws.values()] == [1, 2, 3, 2, 0.5, 6]


def test_names_of_bambi(tmp_path: Path) -> None:
    (tmp_path / "population.csv").write_text("chain,Intercept,ses,1|school_sigma,ses|school_sigma,sigma\n0,1,2,3,4,6\n")
    (tmp_path / "seconds.json").write_text('{"sampling": 1}')
    outcome = BambiModel("nutpie").collect(job(CASES["slopes"], tmp_path))
    found = {name: float(values[0, 0]) for name, values in outcome.draws.items()}
    assert found == {"Intercept": 1, "ses": 2, "sd(school)": 3, "sd(school: ses)": 4, "sigma": 6}
    assert "no correlation" in outcome.note


def test_names_of_estimates(tmp_path: Path) -> None:
    rows = ["(Intercept),1", "ses,2", "sd school (Intercept),3", "sd school ses,4", "cor school (Intercept) ses,5"]
    (tmp_path / "estimates.csv").write_text("\n".join(["name,value", *rows, "sigma,6"]))
    (tmp_path / "seconds.json").write_text(json.dumps({"sampling": 1.0}))
    assert estimates(tmp_path, CASES["slopes"]) == dict(zip(CASES["slopes"].parameters, range(1, 7), strict=True))
    assert R["lme4"].collect(job(CASES["slopes"], tmp_path)).draws == {}


# Every comparator has every family, or says in words why not. Those without a lognormal take the logarithm.
LEFT_AND_CALL = {
    "lme4": {"gaussian": "gaussian()", "lognormal": "gaussian()", "bernoulli": "binomial()", "poisson": "poisson()"},
    "lme4-nagq0": {"bernoulli": "binomial()", "poisson": "poisson()"},
    "glmmTMB": {
        "gaussian": "gaussian()",
        "lognormal": "gaussian()",
        "bernoulli": "binomial()",
        "poisson": "poisson()",
        "negbinomial": "nbinom2()",
    },
    "clmm": {"cumulative": "logit"},
    "brms": {
        "gaussian": "gaussian()",
        "lognormal": "lognormal()",
        "bernoulli": "bernoulli()",
        "poisson": "poisson()",
        "negbinomial": "negbinomial()",
        "cumulative": "cumulative()",
    },
    "rstanarm": {
        "gaussian": "gaussian()",
        "lognormal": "gaussian()",
        "bernoulli": "binomial()",
        "poisson": "poisson()",
        "negbinomial": "neg_binomial_2()",
    },
}
BY_FAMILY = {
    case.family: case for case in map(CASES.__getitem__, ("slopes", "poisson", "rare", "negbinomial", "ordinal"))
} | {"lognormal": CASES["lognormal"]}


@pytest.mark.parametrize("family", BY_FAMILY)
@pytest.mark.parametrize("name", R)
def test_a_package_in_r_is_told_the_model_or_says_why_not(name: str, family: str, tmp_path: Path) -> None:
    case, package = BY_FAMILY[family], R[name]
    call = LEFT_AND_CALL[name].get(family)
    refusal = package.refuses(case, patient=False)
    if call is None:
        assert len(refusal.split()) > 4
        return
    assert refusal == ""
    words = dict(word.split("=", 1) for word in package.command(job(case, tmp_path))[4:])
    assert words["call"] == call
    logarithm = family == "lognormal" and name != "brms"
    left = f"log({case.response})" if logarithm else case.response
    assert words["model"] == f"{left} ~ {case.formula.partition(' ~ ')[2]}"
    assert words["nagq"] == ("0" if name == "lme4-nagq0" else "1")


@pytest.mark.parametrize("family", BY_FAMILY)
def test_bambi_is_told_the_model(family: str, tmp_path: Path) -> None:
    own = {"lognormal": ("gaussian", "logarithm"), "cumulative": ("cumulative", "ordered")}
    own["negbinomial"] = ("negativebinomial", "")
    command = BambiModel("nutpie").command(job(BY_FAMILY[family], tmp_path))
    words = dict(word.split("=", 1) for word in command[2:])
    assert (words["call"], words["outcome"]) == own.get(family, (family, ""))
    assert words["formula"] == BY_FAMILY[family].formula


@pytest.mark.parametrize("family", BY_FAMILY)
def test_hierfit_is_told_the_family(family: str, tmp_path: Path) -> None:
    words = HierfitCommand().command(job(BY_FAMILY[family], tmp_path))
    assert words[words.index("--family") + 1] == family


def test_names_of_thresholds_and_shapes(tmp_path: Path) -> None:
    ordinal, counts = CASES["ordinal"], CASES["negbinomial"]
    numbers = {name: float(number) for number, name in enumerate(ordinal.parameters)}
    assert ordinal.parameters[:5] == (*(f"threshold[{low}|{low + 1}]" for low in range(1, 5)), "condition")
    both = ("subject", "item")
    spread = [
        (name.format(factor), own.format(factor), brms.format(factor))
        for factor in both
        for name, own, brms in (
            ("sd({})", "sd {} (Intercept)", "sd_{}__Intercept"),
            ("sd({}: condition)", "sd {} condition", "sd_{}__condition"),
            ("cor({}: Intercept, condition)", "cor {} (Intercept) condition", "cor_{}__Intercept__condition"),
        )
    ]
    lines = [f'"{own}",{numbers[name]}' for name, own, _ in spread]
    lines += [f'"{name}",{numbers[name]}' for name in ordinal.parameters[:5]]
    (tmp_path / "estimates.csv").write_text("\n".join(["name,value", *lines]))
    assert estimates(tmp_path, ordinal) == numbers
    columns = {brms: column(numbers[name]) for name, _, brms in spread}
    columns |= {f"b_Intercept[{low}]": column(low - 1) for low in range(1, 5)} | {"b_condition": column(4)}
    assert {name: values[0, 0] for name, values in brms_draws(columns, ordinal).items()} == numbers
    (tmp_path / "estimates.csv").write_text(
        "name,value\n(Intercept),0\nage,1\nsd clinic (Intercept),2\nshape,3\nsigma,3\n"
    )
    assert estimates(tmp_path, counts) == dict(zip(counts.parameters, range(4), strict=True))
    columns = {"(Intercept)": column(0), "age": column(1), "Sigma[clinic:(Intercept),(Intercept)]": column(4)}
    draws = rstanarm_draws(columns | {"reciprocal_dispersion": column(3)}, counts)
    assert [float(values[0, 0]) for values in draws.values()] == [0, 1, 2, 3]


def test_names_of_bambis_thresholds_and_shapes(tmp_path: Path) -> None:
    (tmp_path / "seconds.json").write_text('{"sampling": 1}')
    (tmp_path / "population.csv").write_text(
        "chain,condition,1|subject_sigma,condition|subject_sigma,1|item_sigma,condition|item_sigma,"
        "threshold 1,threshold 2,threshold 3,threshold 4\n0,4,5,6,8,9,0,1,2,3\n"
    )
    ordinal = BambiModel("nutpie").collect(job(CASES["ordinal"], tmp_path)).draws
    number_of = {name: number for number, name in enumerate(CASES["ordinal"].parameters)}
    assert {name: float(values[0, 0]) for name, values in ordinal.items()} == {
        name: number for name, number in number_of.items() if not name.startswith("cor(")
    }
    (tmp_path / "population.csv").write_text("chain,Intercept,age,1|clinic_sigma,alpha\n0,0,1,2,3\n")
    counts = BambiModel("nutpie").collect(job(CASES["negbinomial"], tmp_path)).draws
    assert {name: float(values[0, 0]) for name, values in counts.items()} == {
        "Intercept": 0,
        "age": 1,
        "sd(clinic)": 2,
        "shape": 3,
    }


def test_programs_name_a_coefficient_for_every_predictor() -> None:
    assert population_columns("// population: a b[*] s\n", CASES["rare"]) == ["a", "b[1]", "s"]
    assert population_columns("// population: a b[*]\n", CASES["poisson"]) == ["a", *(f"b[{k}]" for k in range(1, 6))]


def test_the_fastest_reader_is_taken_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Polars of the other Python, of this one, else pandas: played by scripts that have a package or have not."""
    has, lacks = tmp_path / "has", tmp_path / "lacks"
    for path, status in ((has, 0), (lacks, 1)):
        path.write_text(f"#!/bin/sh\nexit {status}\n")
        path.chmod(0o755)
    million = job(CASES["million"], tmp_path)
    for other, here, chosen, reader in (
        (has, lacks, has, "polars"),
        (lacks, has, has, "polars"),
        (lacks, lacks, lacks, "pandas"),
        (Path("/no/such/python"), lacks, lacks, "pandas"),
    ):
        monkeypatch.setenv("HIERFIT_BENCH_PYTHON", str(other))
        monkeypatch.setattr(sys, "executable", str(here))
        fastest_reader.cache_clear()
        command = COMPARATORS["read-csv"].command(million)
        assert command[0] == str(chosen)
        assert f"{reader}.read_csv" in command[2]
        assert COMPARATORS["read-csv"].collect(million).note.startswith(f"{reader} reads")
    fastest_reader.cache_clear()


def test_what_is_hopeless_is_refused_with_a_reason() -> None:
    million, rows = CASES["million"], CASES["row-slopes"]
    assert R["lme4"].refuses(rows, patient=True) == "lme4 refuses as many levels of row as rows"
    assert R["lme4"].refuses(million, patient=False) == ""
    for name in ("tutorial", "brms-style", "brms", "rstanarm"):
        assert "1,000,000 rows" in COMPARATORS[name].refuses(million, patient=False)
        assert COMPARATORS[name].refuses(million, patient=True) == ""
    # 1,000,000 rows x 20,000 columns of doubles.
    assert COMPARATORS["bambi-nutpie"].refuses(million, patient=True) == "its dense group matrices take 149 GiB"
    assert COMPARATORS["read-csv"].refuses(rows, patient=False)
    assert COMPARATORS["hierfit"].refuses(CASES["ten-million"], patient=False) == ""


def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    missing_in_r.cache_clear()
    assert R["lme4"].missing() == "no Rscript on PATH"
    missing_in_r.cache_clear()
    monkeypatch.setenv("HIERFIT_BENCH_PYTHON", "/no/such/python")
    assert BambiModel("nutpie").missing() == "HIERFIT_BENCH_PYTHON=/no/such/python cannot be started"
