import re
import subprocess
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from hierfit.model.priors import Prior
from hierfit.model.spec import ModelSpec, sd_name
from hierfit.stan.identifiers import Names
from hierfit.stan.narrow import narrow_data, narrow_program, number, rounded
from hierfit.stan.toolchain import bundled_toolchain
from tests.narrow_cases import CASES, NarrowCase

DECLARED = re.compile(
    r"^  (?:array\[(?P<array>[^\]]*)\] )?\w+(?:<[^>]*>)?(?:\[(?P<size>[^\]]*)\])? (?P<name>\w+);", re.M
)


@lru_cache
def text_of(case: NarrowCase) -> str:
    return narrow_program(*case.model()).text


def correlated_blocks(spec: ModelSpec) -> int:
    return sum(block.correlated for group in spec.groups for block in group.blocks)


def block_of(text: str, name: str) -> str:
    found = re.search(rf"^{name} {{\n(.*?)^}}", text, re.DOTALL | re.MULTILINE)
    return found[1] if found else ""


def code_of(text: str) -> str:
    return re.sub(r"//.*", "", text)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_says_what_occurs_and_nothing_else(case: NarrowCase) -> None:
    spec, design = case.model()
    text = text_of(case)
    assert text.startswith(f"// {spec.formula}\n")
    assert [part for part in case.has if part not in text] == []
    assert len(text.splitlines()) < 110 and max(map(len, text.splitlines())) <= 150
    assert re.search(r"\n\n\n|\{\n\n|\n\n\}|[ \t]\n|\t", text) is None
    where = {
        "offsets": design.offset is not None and not spec.prior_only,
        "weights": design.weights is not None and not spec.prior_only,
        "precision": design.precision is not None and not spec.prior_only,
        "trials": design.trials is not None and not spec.prior_only,
        "horseshoe": bool(spec.shrunk),
        "threshold": bool(spec.thresholds),
        "cholesky": correlated_blocks(spec) > 0,
        "Intercept": spec.intercept or any(own.terms[0] == "Intercept" for own in spec.distributional),
        "at_mean": case.centered and bool(spec.coefficients) and (spec.intercept or bool(spec.thresholds)),
        "z_": bool(spec.groups or spec.shrunk),
        "y ~|y\\[i\\]": not spec.prior_only,
        "link\\b": False,
    }
    code = code_of(text)
    assert {word: re.search(rf"\b{word}", code.replace("_at_mean", " at_mean")) is not None for word in where} == where


@pytest.mark.parametrize("case", CASES, ids=str)
def test_stanc_accepts_it(case: NarrowCase, tmp_path: Path) -> None:
    accept(text_of(case), tmp_path)


def accept(text: str, folder: Path) -> None:
    program = folder / "model.stan"
    program.write_text(text)
    command = [bundled_toolchain().stanc, "--o", folder / "model.cpp", program]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), text


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_data_are_those_that_it_declares(case: NarrowCase) -> None:
    data = narrow_data(*case.model())
    declared = {
        found["name"]: [*(found["array"] or "").split(", "), *(found["size"] or "").split(", ")]
        for found in DECLARED.finditer(block_of(text_of(case), "data"))
    }
    assert set(declared) == set(data)
    for name, sizes in declared.items():
        wanted = tuple(int(size) if size.isdigit() else data[size] for size in sizes if size)
        assert np.shape(data[name]) == wanted, name


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_parameter_has_one_prior(case: NarrowCase) -> None:
    spec, _ = case.model()
    text = text_of(case)
    vectors = {
        found["name"]: int(found["size"])
        for found in DECLARED.finditer(block_of(text, "parameters"))
        if (found["size"] or "").isdigit() and not found["name"].startswith("L_")
    }
    covered: list[str] = []
    for target in re.findall(r"^  (\S+) ~ \w+\(.*\); // ", block_of(text, "model"), re.MULTILINE):
        name, _, place = target.rstrip("]").partition("[")
        first, _, last = (place or f"1:{vectors.get(name, 1)}").partition(":")
        covered += [f"{name} {i}" for i in range(int(first), int(last or first) + 1)]
    without = ("constant", "horseshoe", "flat", "lkj")
    estimated = [prior for prior in spec.priors.values() if prior.distribution not in without]
    assert len(covered) == len(set(covered)) == len(estimated) + correlated_blocks(spec)


def test_the_numbers_of_priors_are_as_good_as_those_of_the_model() -> None:
    assert rounded(1e12 + 3.0004, 2.5) == pytest.approx(1e12 + 3.0004, abs=1e-4)
    assert (rounded(0.0), rounded(1 / 3), rounded(123456.789)) == (0.0, 0.333333, 123457.0)
    assert rounded(242.65333333, 158.8) == 242.653
    assert [number(value) for value in (3.0, -2.0, 0.25, 3e9, 1e-12)] == ["3", "-2", "0.25", "3000000000.0", "1e-12"]


def named(case: NarrowCase, factor: str) -> ModelSpec:
    spec, _ = case.model()
    group = replace(spec.groups[0], factor=factor)
    sds = {name.replace("(g", f"({factor}"): prior for name, prior in spec.priors.items() if "(g" in name}
    return replace(spec, groups=(group,), priors={**spec.priors, **sds})


HOSTILE = [
    "for",
    "N",
    "y",
    "sd",
    "sigma",
    "exp",
    "school year",
    "2nd",
    "Größe",
    "学校",
    "b",
    "a__",
    "x\n}",
    "u_g",
    "at_mean",
    "X_sigma",
]


APART, TOGETHER = "; sigma ~ a + (1 + a | g)", "; sigma ~ a + (1 + b | p | g)"
# A factor of two predictors has every column that one of one has, and more; a few names in each of the ways.
OWN = [(factor, further) for factor in ("sigma", "x\n}", "学校") for further in ("", TOGETHER)]


@pytest.mark.parametrize(("factor", "further"), [*((factor, APART) for factor in HOSTILE), *OWN])
def test_a_factor_may_be_called_anything(factor: str, further: str, tmp_path: Path) -> None:
    case = NarrowCase(f"y ~ a + (1 + a | {'p | ' * ('| p |' in further)}g){further}")
    spec, design = named(case, factor), case.model()[1]
    design = replace(design, groups=(replace(design.groups[0], factor=factor),))
    text = narrow_program(spec, design).text
    accept(text, tmp_path)
    assert set(re.findall(r"J_\w+", code_of(text))) < set(narrow_data(spec, design))


@pytest.mark.parametrize(
    ("further", "names", "has"),
    [
        ("", ("school class", "school.class"), "u_school_class[school_class] + u_school_class_2[school_class_2]"),
        ("; sigma ~ 1 + (1 | g)", ("s", "s sigma"), "u_s[s] + u_s_sigma_2[s_sigma_2];"),
        ("; sigma ~ 1 + (1 | g)", ("s_sigma", "s"), "u_s_sigma[s_sigma] + u_s_2[s_2];"),
        ("; sigma ~ 1 + (1 | h)", ("s", "s_sigma"), "exp(Intercept_sigma + u_s_sigma_2_sigma[s_sigma_2])"),
    ],
)
def test_names_that_look_the_same_stay_apart(further: str, names: tuple[str, str], has: str, tmp_path: Path) -> None:
    spec, design = NarrowCase(f"y ~ a + (1 | g) + (1 | h){further}").model()
    groups = tuple(replace(group, factor=name) for group, name in zip(design.groups, names, strict=True))
    sds = {
        sd_name(name, term): Prior("exponential", (1.0,), "")
        for group, name in zip(design.groups, names, strict=True)
        for term in group.terms
    }
    varying = tuple(replace(group, factor=name) for group, name in zip(spec.groups, names, strict=True))
    spec = replace(spec, groups=varying, priors={**spec.priors, **sds})
    text = narrow_program(spec, replace(design, groups=groups)).text
    accept(text, tmp_path)
    assert has in text


@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_column_is_called_what_a_program_calls_something_else(case: NarrowCase) -> None:
    names = Names(["", "_sigma", "_nu", "_sigma_nu", "_shape", "_phi", "_zi", "_hu"])
    for stem in ("g", "h", "h_g"):
        names.stem(stem)
    for text in ("b_a", "b_b", "b_a_b", "sd_g_a", "sd_g_b", "sd_g_Intercept", "sd_g_sigma_a"):
        names.take(text)
    # Densities are called by names with an ending of their own, which no column gets.
    words = {
        word for word in re.findall(r"[A-Za-z]\w*", code_of(text_of(case))) if not re.search(r"_(lu?p[dm]|lcd)f$", word)
    }
    assert sorted(word for word in words if names.take(word) == word) == []


def test_a_formula_cannot_leave_its_comment(tmp_path: Path) -> None:
    spec, design = NarrowCase("y ~ a").model()
    hostile = "a\n} functions { int planted() { return 1; } }"
    formula = replace(spec.formula, terms=(hostile,))
    spec = replace(spec, formula=formula, coefficients=(hostile,), priors={**spec.priors, hostile: spec.priors["a"]})
    text = narrow_program(spec, design).text
    assert all("planted" not in line.partition("//")[0] for line in text.splitlines())
    accept(text, tmp_path)


def test_every_column_is_named_however_many(tmp_path: Path) -> None:
    spec, design = NarrowCase("y ~ a").model()
    names = tuple(f"column number {i}" for i in range(40))
    priors = {**spec.priors, **{name: Prior("normal", (0.0, 1.0), "") for name in names}}
    design = replace(design, coefficients=names, X=np.random.default_rng(1).normal(size=(design.n_rows, 40)))
    text = narrow_program(replace(spec, coefficients=names, priors=priors), design).text
    accept(text, tmp_path)
    above = block_of(text, "data").partition("matrix[N, 40] X;")[0]
    assert [name for i, name in enumerate(names, 1) if f" {i} {name}{',' if i < 40 else ''}" not in above] == []
    assert max(map(len, text.splitlines())) <= 120
    assert "b ~ normal(0, 1); // column number 0, column number 1, ..., column number 39" in text


def test_names_may_be_long(tmp_path: Path) -> None:
    long = "a column whose name says in many words what was measured, and when"
    spec, design = NarrowCase("y ~ a + (1 + a | g)").model()
    priors = {name.replace("a", long) if name in ("a", "sd(g: a)") else name: p for name, p in spec.priors.items()}
    groups = (replace(spec.groups[0], terms=("Intercept", long)),)
    spec = replace(spec, coefficients=(long,), groups=groups, priors=priors)
    design = replace(design, coefficients=(long,), groups=(replace(design.groups[0], terms=groups[0].terms),))
    text = narrow_program(spec, design).text
    accept(text, tmp_path)
    for name in (f"// sd(g), sd(g: {long})", f"  // cor(g: Intercept, {long}):\n  matrix[2, 2] cor_g = "):
        assert name in text


def test_an_outcome_says_what_its_codes_are() -> None:
    spec, design = NarrowCase("y ~ a", family="cumulative").model()
    assert "// y: 1 never, 2 seldom, 3 often, 4 always" in narrow_program(spec, design).text
    spec, design = NarrowCase("y ~ a", family="lognormal").model()
    assert "vector[N] y; // the logarithm of y" in narrow_program(spec, design).text
    np.testing.assert_allclose(narrow_data(spec, design)["y"], np.log(design.y))
