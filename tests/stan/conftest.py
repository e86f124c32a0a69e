"""Two small programs, built in the user's own cache so that runs repeat quickly, and a toolchain of shell scripts."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hierfit.stan.executable import Executable, build_executable
from hierfit.stan.programs import StanProgram
from hierfit.stan.seals import digest_of, seal
from hierfit.stan.toolchain import Toolchain, bundled_toolchain

PROGRAMS = Path(__file__).parent / "programs"

# stanc makes the file it was asked for; g++ waits as long as FAKE_SECONDS says and makes a program of "-o NAME".
FAKE_STANC = """#!/bin/sh
while [ $# -gt 0 ]; do [ "$1" = --o ] && touch "$2"; shift; done
"""
FAKE_COMPILER = """#!/bin/sh
[ "$1" = --version ] && echo "fake 1.0" && exit 0
sleep "${FAKE_SECONDS:-0}"
[ -n "$FAKE_ERROR" ] && echo "model.cpp:7: error: $FAKE_ERROR" && exit 1
while [ $# -gt 0 ]; do [ "$1" = -o ] && out="$2"; shift; done
printf '#!/bin/sh\\necho stan_version_major = 2\\n' > "$out" && chmod +x "$out"
"""


def program(name: str) -> StanProgram:
    return StanProgram(name, (PROGRAMS / f"{name}.stan").read_text())


@pytest.fixture(scope="session")
def conjugate() -> Executable:
    return build_executable(program("conjugate"), bundled_toolchain())


@pytest.fixture(scope="session")
def no_parameters() -> Executable:
    return build_executable(program("no_parameters"), bundled_toolchain())


@pytest.fixture
def conjugate_data() -> Mapping[str, Any]:
    return {
        "N": 4,
        "y": np.array([1.0, 2.0, 4.5, 3.5]),
        "sigma": 2.0,
        "prior_sd": 3.0,
        "M": 5,
        "counts": np.array([3, 0, 2, 4, 1]),
        "K": 0,
        "X": np.empty((0, 2)),
        "bounds": np.array([-np.inf, np.inf]),
    }


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def sealed_script(path: Path, text: str) -> Path:
    """A script as if it had been built there."""
    script(path, text)
    seal(path.parent, path.name, {path.name: digest_of(path)})
    return path


@pytest.fixture
def fake_toolchain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Toolchain:
    """Scripts in place of stanc and g++, and an empty cache."""
    root = tmp_path / "httpstan"
    stanc = script(root / "stanc", FAKE_STANC)
    compiler = script(tmp_path / "bin" / "g++", FAKE_COMPILER)
    (root / "lib").mkdir()
    (root / "lib" / "libtbb.so.2").write_text("")
    monkeypatch.setenv("HIERFIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{compiler.parent}{os.pathsep}{os.environ['PATH']}")
    return Toolchain("bundled", "2.35.0", root, stanc, ("g++",), "fake 1.0", (), "f" * 64)
