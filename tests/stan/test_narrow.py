import re
import subprocess
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from hierfit.model.priors import Prior
from hierfit.model.spec import ModelSpec
from hierfit.stan.identifiers import Names
from hierfit.stan.narrow import narrow_data, narrow_program, number, program_of, rounded
from hierfit.stan.shape import AT_MEAN, Vector
from hierfit.stan.shaping import shape_of
from hierfit.stan.toolchain import bundled_toolchain
from tests.narrow_cases import CASES, NarrowCase

DECLARED = re.compile(
    r"^  (?:array\[(?P<array>[^\]]*)\] )?\w+(?:<[^>]*>)?(?:\[(?P<size>[^\]]*)\])? (?P<name>\w+);", re.M
)


@lru_cache
def text_of(case: NarrowCase) -> str:
    return narrow_program(*case.model()).text


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
        "cholesky": any(group.correlated for group in spec.groups),
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
    estimated = [prior for prior in spec.priors.values() if prior.distribution not in ("constant", "horseshoe", "flat")]
    single = [group for group in spec.groups if group.correlated and len(group.terms) == 1]
    with_prior = len(estimated) - len([group for group in single if f"cor({group.factor})" in spec.priors])
    assert len(covered) == len(set(covered)) == with_prior


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


@pytest.mark.parametrize("terms", [("Intercept",), ("Intercept", "a"), ("a",)], ids=str)
def test_any_predictor_may_have_blocks(terms: tuple[str, ...], tmp_path: Path) -> None:
    shape = shape_of(*NarrowCase("y ~ a + (1 + a | g); sigma ~ a").model())
    mean, sigma = shape.predictors
    (block,), stem = mean.blocks, "g_sigma"
    scalars = tuple(replace(one, name=f"sigma {one.name}") for one in block.sds.scalars[: len(terms)])
    several = len(terms) > 1
    sds = Vector(f"sd_{stem}{AT_MEAN * several}", scalars, single=not several)
    own = replace(block, stem=stem, terms=terms, sds=sds, cor=block.cor if several else None, at_mean=several)
    text = program_of(replace(shape, predictors=(mean, replace(sigma, blocks=(own,))))).text
    accept(text, tmp_path)
    used = {("Intercept",): "u_g_sigma[g]", ("a",): "Z_g_sigma .* u_g_sigma[g]"}
    wanted = used.get(terms, "rows_dot_product(Zc_g_sigma, u_g_sigma_at_mean[g])")
    assert f"exp(Intercept_sigma_at_mean + Xc_sigma * b_sigma + {wanted})" in text
    assert text.count("array[N] int<lower=1, upper=J_g> g;") == 1


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
]


@pytest.mark.parametrize("factor", HOSTILE)
def test_a_factor_may_be_called_anything(factor: str, tmp_path: Path) -> None:
    case = NarrowCase("y ~ a + (1 + a | g)")
    spec, design = named(case, factor), case.model()[1]
    design = replace(design, groups=(replace(design.groups[0], factor=factor),))
    text = narrow_program(spec, design).text
    accept(text, tmp_path)
    assert set(re.findall(r"J_\w+", code_of(text))) < set(narrow_data(spec, design))


def test_names_that_look_the_same_stay_apart(tmp_path: Path) -> None:
    spec, design = NarrowCase("y ~ a + (1 | g) + (1 | h)").model()
    names = ("school class", "school.class")
    groups = tuple(replace(group, factor=name) for group, name in zip(design.groups, names, strict=True))
    sds = {f"sd({name})": Prior("exponential", (1.0,), "") for name in names}
    varying = tuple(replace(group, factor=name) for group, name in zip(spec.groups, names, strict=True))
    spec = replace(spec, groups=varying, priors={**spec.priors, **sds})
    text = narrow_program(spec, replace(design, groups=groups)).text
    accept(text, tmp_path)
    assert "u_school_class[school_class] + u_school_class_2[school_class_2]" in text


@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_column_is_called_what_a_program_calls_something_else(case: NarrowCase) -> None:
    names = Names(["", "_sigma", "_nu", "_shape", "_phi", "_zi", "_hu"])
    for stem in ("g", "h", "h_g"):
        names.stem(stem)
    for text in ("b_a", "b_b", "b_a_b", "sd_g_a", "sd_g_b", "sd_g_Intercept"):
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


def test_an_outcome_says_what_its_codes_are() -> None:
    spec, design = NarrowCase("y ~ a", family="cumulative").model()
    assert "// y: 1 never, 2 seldom, 3 often, 4 always" in narrow_program(spec, design).text
    spec, design = NarrowCase("y ~ a", family="lognormal").model()
    assert "vector[N] y; // the logarithm of y" in narrow_program(spec, design).text
    np.testing.assert_allclose(narrow_data(spec, design)["y"], np.log(design.y))
