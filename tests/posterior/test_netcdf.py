"""trace.nc: what is written comes back, and ArviZ reads it."""

import errno
import gc
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hierfit.data.table import Table, table_of
from hierfit.design.building import build_design
from hierfit.design.design import Design, Group
from hierfit.design.prior_choice import build_spec
from hierfit.engines.full.back import full_draws
from hierfit.engines.full.engine import FULL
from hierfit.errors import RunFolderError
from hierfit.model.formula import Formula, GroupTerm
from hierfit.model.formula_text import parse_formula
from hierfit.model.grammar import quoted
from hierfit.model.spec import ModelSpec
from hierfit.posterior.draws import Draws
from hierfit.posterior.netcdf import write_netcdf
from hierfit.posterior.netcdf_reading import read_netcdf
from hierfit.sampling import SamplerOptions
from tests.disk.faults import Disk, failing
from tests.fake_sampling import fake_sampling

LABELS = ("001", "1", "01", " a", "b/c", "é ü", "a, b", "nan")
Case = tuple[Draws, Design, ModelSpec]


def case(formula: Formula, *priors: str, rows: int = 40, centered: bool = True, family: str = "gaussian") -> Case:
    """Return made-up draws of a model on made-up data, full engine."""
    rng = np.random.default_rng(4)
    codes = {factor: (np.arange(rows) % max(8 - 3 * i, 2)).astype(np.int32) for i, factor in enumerate(formula.factors)}
    table = Table(
        path=Path("case.csv"),
        sha256="",
        n_read=rows,
        dropped={},
        numbers={name: rng.normal(size=rows) for name in (formula.response, *formula.predictors)},
        labels=codes,
        levels={factor: LABELS[: code.max() + 1] for factor, code in codes.items()},
        lines=np.arange(rows) * 2 + 2,
    )
    if family == "cumulative":
        table = replace(table, numbers=table.numbers | {formula.response: np.arange(rows) % 4.0})
    design = build_design(formula, table, centered=centered, family=family)
    spec = build_spec(formula, design, priors)
    options = SamplerOptions(chains=2, draws=5, seed=1, max_treedepth=11)
    return full_draws(fake_sampling(FULL.data(spec, design), options), design, spec), design, spec


def group(factor: str, *slopes: str, **options: Any) -> GroupTerm:
    return GroupTerm(factor, slopes=slopes, **options)


RESERVED = ("chain", "obs", "row", "coefficient", "b", "sd", "sigma", "chain_term", "x")
ODD = ("a/b", "a_b", "école", "..", "g(h)", "school name", "")
FORMULAS = {
    "slopes": Formula("score", ("ses", "age"), (group("school", "ses", "age"),)),
    "no group": Formula("score", ("ses",)),
    "no predictor": Formula("score", (), (group("school"),)),
    "two factors": Formula("score", ("ses",), (group("school", "ses"), group("district"))),
    "slope only": Formula("score", ("ses",), (group("row", "ses", intercept=False),)),
    "uncorrelated": Formula("score", ("ses",), (group("school", "ses", correlated=False),), intercept=False),
    "odd names": Formula(
        "km/h",
        tuple(map(quoted, ("family income", "(x) : y", "年齢", "."))),
        tuple(group(name, quoted("年齢")) for name in ODD),
    ),
    "reserved names": Formula("chain", ("x",), tuple(group(name) for name in RESERVED)),
    "names like those made": Formula("obs", ("x",), (group("g"), group("g_term"), group("u_g"))),
}


def assert_same(found: Any, wanted: Any) -> None:
    for name, value in vars(wanted).items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(getattr(found, name), value, err_msg=name, strict=True)
        elif name == "distributional":
            for own, wanted_own in zip(getattr(found, name), value, strict=True):
                assert_same(own, wanted_own)
        elif name == "inputs":
            assert_same_columns(getattr(found, name), value)
        elif name not in ("groups", "terms", "slopes", "roles"):  # what terms learnt stands in run.json
            assert getattr(found, name) == value, name


def assert_same_columns(found: Table, wanted: Table) -> None:
    assert (found.path, found.levels, found.orders) == (wanted.path, wanted.levels, wanted.orders)
    np.testing.assert_array_equal(found.lines, wanted.lines)
    for own, theirs in ((found.numbers, wanted.numbers), (found.labels, wanted.labels)):
        assert list(own) == list(theirs)
        for name, values in theirs.items():
            np.testing.assert_array_equal(own[name], values, strict=True)


# Thresholds, log sigma, the horseshoe.
FURTHER: dict[str, Callable[[], Case]] = {
    "thresholds": lambda: case(FORMULAS["slopes"], family="cumulative"),
    "thresholds alone": lambda: case(Formula("score"), family="cumulative"),
    "sigma": lambda: case(parse_formula("score ~ ses + (1 | school); sigma ~ ses + age")),
    "sigma of levels": lambda: case(parse_formula("score ~ ses + (1 | school); sigma ~ 0 + school")),
    "sigma, odd names": lambda: case(parse_formula("score ~ ses; sigma ~ `a/b` + `x y`"), family="student"),
    "several parameters": lambda: case(parse_formula("score ~ ses; nu ~ age; sigma ~ ses + age"), family="student"),
    "groups of sigma": lambda: case(
        parse_formula("score ~ ses + (1 + ses | p | school); sigma ~ age + (1 | p | school) + (age | class)")
    ),
    "groups of sigma alone": lambda: case(parse_formula("score ~ ses; sigma ~ 1 + (1 + ses || school)")),
    "horseshoe": lambda: case(parse_formula("score ~ ses + age + iq"), "b ~ horseshoe(1)"),
    "groups named like these": lambda: case(
        Formula("score", ("ses",), (group("threshold"), group("between"), group("b_sigma"), group("horseshoe_scale")))
    ),
}


@pytest.mark.parametrize("name", [*FORMULAS, *FURTHER])
def test_draws_and_design_come_back(name: str, tmp_path: Path) -> None:
    draws, design, spec = FURTHER[name]() if name in FURTHER else case(FORMULAS[name])
    write_netcdf(tmp_path / "trace.nc", draws, design, spec)
    found, found_design = read_netcdf(tmp_path / "trace.nc", spec, design.source)
    assert found.parameters == draws.parameters
    np.testing.assert_array_equal(found.values, draws.values, strict=True)
    assert list(found.effects) == list(draws.effects)
    for factor, effects in draws.effects.items():
        # Written in single precision, 24 bits.
        np.testing.assert_allclose(found.effects[factor], effects, rtol=2**-23, strict=True)
    assert set(found.stats) == set(draws.stats)
    for statistic, values in draws.stats.items():
        np.testing.assert_array_equal(found.stats[statistic], values, strict=True)
    assert found.max_treedepth == 11
    assert_same(found_design, design)
    assert len(found_design.groups) == len(design.groups)
    for own, wanted in zip(found_design.groups, design.groups, strict=True):
        assert isinstance(own, Group)
        assert_same(own, wanted)


def test_columns_that_terms_read_and_orders_of_their_levels_come_back(tmp_path: Path) -> None:
    draws, design, spec = case(FORMULAS["uncorrelated"])
    orders = {"dose": ("low", "mid", "high")}
    words = {"dose": (("mid", "high", "low"), np.arange(design.n_rows, dtype=np.int32) % 3)}
    numbers = {"ses": design.X[:, 0], "age": np.geomspace(1e-3, 1e12, design.n_rows)}
    inputs = table_of(design.source, numbers, words, design.lines, orders)
    design = replace(design, references={"dose": "mid"}, levels=orders, inputs=inputs)
    write_netcdf(tmp_path / "trace.nc", draws, design, spec)
    assert_same(read_netcdf(tmp_path / "trace.nc", spec, design.source)[1], design)


def test_a_file_that_xarray_has_written_is_read(tmp_path: Path) -> None:
    import xarray

    draws, design, spec = case(FORMULAS["slopes"])
    write_netcdf(tmp_path / "trace.nc", draws, design, spec)
    for index, name in enumerate(("posterior", "sample_stats", "observed_data", "constant_data")):
        data = xarray.load_dataset(tmp_path / "trace.nc", group=name, engine="h5netcdf")
        data.to_netcdf(tmp_path / "other.nc", mode="a" if index else "w", group=name, engine="h5netcdf")
    found, found_design = read_netcdf(tmp_path / "other.nc", spec, design.source)
    np.testing.assert_array_equal(found.values, draws.values, strict=True)
    np.testing.assert_array_equal(found.stats["diverging"], draws.stats["diverging"], strict=True)
    assert_same(found_design, design)


def test_huge_numbers_keep_every_digit(tmp_path: Path) -> None:
    draws, design, spec = case(FORMULAS["slopes"])
    draws, design = replace(draws, values=draws.values + 1e12), replace(design, y=design.y + 1e12)
    write_netcdf(tmp_path / "trace.nc", draws, design, spec)
    found, found_design = read_netcdf(tmp_path / "trace.nc", spec, design.source)
    np.testing.assert_array_equal(found.values, draws.values)
    np.testing.assert_array_equal(found_design.y, design.y)


def test_what_shrinks_is_compressed(tmp_path: Path) -> None:
    import h5py

    draws, design, spec = case(FORMULAS["slopes"], rows=20_000)
    write_netcdf(tmp_path / "trace.nc", draws, design, spec)
    with h5py.File(tmp_path / "trace.nc") as file:
        stored = {
            name: file[name].compression for name in ("constant_data/X", "constant_data/level", "observed_data/obs")
        }
        effects = file["posterior/u_school"]
        assert (effects.dtype, effects.compression) == (np.float32, None)
    assert stored == {"constant_data/X": None, "constant_data/level": "gzip", "observed_data/obs": "gzip"}


def test_effects_are_written_and_read_without_another_copy(tmp_path: Path) -> None:
    draws, design, spec = case(FORMULAS["slopes"])
    effects = np.random.default_rng(1).normal(size=(4, 10_000, 8, 3))
    values = np.zeros((4, 10_000, len(draws.parameters)))
    many = Draws(draws.parameters, values, {"school": effects}, {}, 11)
    tracemalloc.start()
    write_netcdf(tmp_path / "trace.nc", many, design, spec)
    _, written = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    found, _ = read_netcdf(tmp_path / "trace.nc", spec, design.source)
    _, read = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(found.effects["school"], effects.astype(np.float32))
    assert written < effects.nbytes / 2 + values.nbytes
    assert read < 1.5 * effects.nbytes + 2 * values.nbytes


def test_no_rows_by_draws_array_is_stored(tmp_path: Path) -> None:
    import xarray

    draws, design, spec = case(FORMULAS["slopes"])
    write_netcdf(tmp_path / "trace.nc", draws, design, spec)
    for name in ("posterior", "sample_stats", "observed_data", "constant_data"):
        data = xarray.load_dataset(tmp_path / "trace.nc", group=name, engine="h5netcdf")
        assert not {"draw", "obs"} <= set(data.dims)


def test_arviz_reads_the_documented_layout(tmp_path: Path) -> None:
    import arviz

    draws, design, spec = case(FORMULAS["slopes"])
    write_netcdf(tmp_path / "trace.nc", draws, design, spec)
    data = arviz.from_netcdf(str(tmp_path / "trace.nc"))
    assert list(data.groups()) == ["posterior", "sample_stats", "observed_data", "constant_data"]
    dimensions = {name: variable.dims[2:] for name, variable in data["posterior"].data_vars.items()}
    assert dimensions == {
        "b": ("coefficient",), "sd": ("varying",), "sd_at_mean": ("factor_at_mean",), "cor": ("pair",),
        "Intercept_at_mean": (), "sigma": (), "u_school": ("school", "school_term"),
    }  # fmt: skip
    assert {variable.dims[:2] for variable in data["posterior"].data_vars.values()} == {("chain", "draw")}
    coordinates = {name: values.to_numpy().tolist() for name, values in data["posterior"].coords.items()}
    assert coordinates == {
        "chain": [0, 1], "draw": [0, 1, 2, 3, 4], "coefficient": ["Intercept", "ses", "age"],
        "varying": ["school", "school: ses", "school: age"], "factor_at_mean": ["school"],
        "pair": ["school: Intercept, ses", "school: Intercept, age", "school: ses, age"],
        "school": list(LABELS), "school_term": ["Intercept", "ses", "age"],
    }  # fmt: skip
    np.testing.assert_array_equal(data["posterior"]["sd"].sel(varying="school: ses"), draws.of("sd(school: ses)"))
    effect = data["posterior"]["u_school"].sel(school="001", school_term="age")
    np.testing.assert_allclose(effect, draws.effects["school"][:, :, 0, 2], rtol=1e-6)
    assert data["sample_stats"]["diverging"].dtype == bool
    assert data["observed_data"]["score"].dims == ("obs",)
    assert data["observed_data"]["obs"].to_numpy().tolist() == design.lines.tolist()
    constant = {name: variable.dims for name, variable in data["constant_data"].data_vars.items()}
    assert constant == {"X": ("obs", "coefficient"), "Z": ("obs", "varying"), "level": ("obs", "factor")}


def test_the_layout_of_thresholds_sigma_and_the_horseshoe(tmp_path: Path) -> None:
    import xarray

    found: dict[str, Any] = {}
    for name in ("thresholds", "sigma", "horseshoe"):
        draws, design, spec = FURTHER[name]()
        write_netcdf(tmp_path / f"{name}.nc", draws, design, spec)
        found[name] = xarray.load_dataset(tmp_path / f"{name}.nc", group="posterior", engine="h5netcdf")
        constant = xarray.load_dataset(tmp_path / f"{name}.nc", group="constant_data", engine="h5netcdf")
        assert ("X_sigma" in constant) == (name == "sigma")
    thresholds = found["thresholds"]["threshold"]
    assert thresholds.dims == ("chain", "draw", "between")
    assert thresholds["between"].to_numpy().tolist() == ["0|1", "1|2", "2|3"]
    assert found["thresholds"]["coefficient"].to_numpy().tolist() == ["ses", "age"]  # no intercept
    b_sigma = found["sigma"]["b_sigma"]
    assert b_sigma["sigma_coefficient"].to_numpy().tolist() == ["Intercept", "ses", "age"]
    assert "sigma" not in found["sigma"]
    assert found["horseshoe"]["horseshoe_scale"].dims == ("chain", "draw")


def test_arviz_summarises_it(tmp_path: Path) -> None:
    import arviz

    draws, design, spec = case(FORMULAS["odd names"])
    write_netcdf(tmp_path / "trace.nc", draws, design, spec)
    table = arviz.summary(arviz.from_netcdf(str(tmp_path / "trace.nc")), var_names=["b", "sd"], kind="stats")
    assert table.loc["b[family income]", "mean"] == pytest.approx(draws.of("family income").mean(), abs=1e-3)
    assert "sd[school name: 年齢]" in table.index


@pytest.mark.parametrize("keep", [0, 1000, 0.5])
def test_a_cut_off_file_is_refused(keep: float, tmp_path: Path) -> None:
    draws, design, spec = case(FORMULAS["slopes"], rows=400)
    path = tmp_path / "trace.nc"
    write_netcdf(path, draws, design, spec)
    content = path.read_bytes()
    path.write_bytes(content[: int(keep if keep >= 1 else keep * len(content))])
    with pytest.raises(RunFolderError, match=r"trace\.nc could not be read") as refused:
        read_netcdf(path, spec, design.source)
    assert refused.value.hint == "fit again with --overwrite"


@pytest.mark.parametrize("other", ["no group", "no predictor"])
def test_the_trace_of_another_model_is_refused(other: str, tmp_path: Path) -> None:
    draws, design, spec = case(FORMULAS[other])
    write_netcdf(tmp_path / "trace.nc", draws, design, spec)
    with pytest.raises(RunFolderError, match="could not be read as the trace of this run"):
        read_netcdf(tmp_path / "trace.nc", case(FORMULAS["two factors"])[2], design.source)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"has no trace\.nc"):
        read_netcdf(tmp_path / "trace.nc", case(FORMULAS["no group"])[2], Path("a.csv"))


def test_a_disk_that_fails_is_an_error_and_no_crash(tmp_path: Path) -> None:
    draws, design, spec = case(FORMULAS["slopes"], rows=40)
    path = tmp_path / "trace.nc"
    with failing(Disk(), ["pwrite", "ftruncate"]) as disk:
        write_netcdf(path, draws, design, spec)
    for call in [*range(1, disk.count, 7), disk.count]:
        for then_all in (False, True):
            with failing(Disk(call, then_all), ["pwrite", "ftruncate"]), pytest.raises(OSError) as caught:
                write_netcdf(path, draws, design, spec)
            assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(path))
    gc.collect()  # nor is there one later
