"""Kernels in the cache: compiled once, sealed, and side by side. A shell script stands in for the compiler."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hierfit.engines.latent import building
from hierfit.engines.latent.building import SOURCES, STRUCTS, build_library, find_library
from hierfit.engines.latent.kernel import Kernel
from hierfit.errors import ToolchainError
from hierfit.model.families import FAMILIES
from tests.engines.latent.kernels import case_of, library, made_points, made_rows

COMPILER = """#!/bin/sh
echo "$@" >> "$FAKE_LOG"
sleep "${FAKE_SECONDS:-0}"
[ -n "$FAKE_ERROR" ] && echo "kernel.cpp:7: error: $FAKE_ERROR" && exit 1
while [ $# -gt 0 ]; do [ "$1" = -o ] && out="$2"; shift; done
echo built > "$out"
"""


@pytest.fixture
def compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A compiler that writes down how it is called, and an empty cache."""
    script, log = tmp_path / "g++", tmp_path / "calls"
    script.write_text(COMPILER)
    script.chmod(0o755)
    monkeypatch.setenv("CXX", str(script))
    monkeypatch.setenv("FAKE_LOG", str(log))
    monkeypatch.setenv("HIERFIT_CACHE", str(tmp_path / "cache"))
    building._fingerprint.cache_clear()
    yield log
    building._fingerprint.cache_clear()


def test_every_family_whose_rows_are_not_normal_has_a_struct() -> None:
    assert set(STRUCTS) == {name for name, family in FAMILIES.items() if not family.collapsible}
    text = (SOURCES / "families.hpp").read_text()
    assert all(f"struct {struct.partition('<')[0]} " in text for struct in STRUCTS.values())


def test_a_kernel_is_compiled_once_and_the_second_time_is_silent(compiler: Path) -> None:
    said: list[str] = []
    assert find_library("poisson") is None
    built = build_library("poisson", said.append)
    assert built.read_text() == "built\n" and find_library("poisson") == built and find_library("beta") is None
    assert len(said) == 1 and "Compiling the kernel of the family poisson" in said[0]
    assert build_library("poisson", said.append) == built and len(said) == 1
    assert len(compiler.read_text().splitlines()) == 1 and "-DFAMILY=Poisson" in compiler.read_text()
    assert not list(built.parent.glob("*.building-*"))


def test_a_kernel_that_was_changed_is_compiled_anew(compiler: Path) -> None:
    built = build_library("poisson")
    built.write_text("something else")
    assert find_library("poisson") is None
    assert build_library("poisson").read_text() == "built\n"


def test_other_flags_are_another_kernel(compiler: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = build_library("poisson")
    building._fingerprint.cache_clear()
    monkeypatch.setattr(building, "FLAGS", (*building.FLAGS, "-g"))
    assert build_library("poisson") != first


def test_a_failure_says_where_the_log_is(compiler: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_ERROR", "expected ';'")
    with pytest.raises(ToolchainError, match="kernel of the family beta failed") as error:
        build_library("beta")
    log = Path(error.value.message.rpartition(": ")[2])
    assert "expected ';'" in log.read_text() and find_library("beta") is None


def test_no_compiler_is_said(compiler: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "find_compiler", lambda: ())
    with pytest.raises(ToolchainError, match="needs a C\\+\\+ compiler"):
        build_library("poisson")


def test_two_kernels_are_compiled_at_the_same_time(compiler: Path) -> None:
    """Neither takes the other's folder for what a killed build has left."""
    code = "import sys; from hierfit.engines.latent.building import build_library; print(build_library(sys.argv[1]))"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, family],
            env={**os.environ, "FAKE_SECONDS": "1.5"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for family in ("poisson", "beta", "gamma")
    ]
    for process in started:
        out, error = process.communicate(timeout=60)
        assert process.returncode == 0, error
        assert Path(out.strip()).read_text() == "built\n"


@pytest.mark.stan
def test_every_kernel_is_of_its_family() -> None:
    for family in STRUCTS:
        rows = made_rows(case_of(family))
        made = Kernel(library(family), rows, 5)
        assert made._code.n_auxiliaries() == len(rows.S_of)
        assert made.work == len(rows.y) * 5 and made.with_nodes(9).work == len(rows.y) * 9
        assert made.log_density(made_points(case_of(family), rows)).shape == (5,)
