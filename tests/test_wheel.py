"""A wheel with compiled programs, installed where there is neither compiler nor httpstan, fits; a plain one has none.

Needs a package index for the dependencies, and compiles every program that is not compiled yet.
"""

import json
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from hierfit.stan.programs import all_programs
from tests.render import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.stan]

MOST_BYTES = 40_000_000


def build(folder: Path, carries_programs: str) -> Path:
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(command, env={**os.environ, "HIERFIT_WHEEL_PROGRAMS": carries_programs}, check=True)
    (wheel,) = folder.glob("hierfit-*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"), "1")


def metadata(wheel: Path) -> str:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        return archive.read(name).decode()


def carried(wheel: Path) -> dict[str, zipfile.ZipInfo]:
    with zipfile.ZipFile(wheel) as archive:
        found = [info for info in archive.infolist() if info.filename.startswith("hierfit/stan/built/")]
    return {Path(info.filename).name: info for info in found}


def test_the_wheel_carries_every_program_and_says_where_it_runs(wheel: Path) -> None:
    assert re.fullmatch(r"hierfit-[\d.]+\w*-py3-none-(manylinux_2_\d+|linux)_\w+\.whl", wheel.name)
    files = carried(wheel)
    programs = {f"{program.name}-{program.digest[:16]}" for program in all_programs()}
    seals = {f"{name}.sha256" for name in programs}
    assert set(files) == {*programs, *seals, "libtbb.so.2", "stan_version", "compiler_version"}
    assert all(files[name].external_attr >> 16 & 0o111 for name in programs)
    assert wheel.stat().st_size < MOST_BYTES
    print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB, {len(programs)} programs")
    with zipfile.ZipFile(wheel) as archive:
        assert {"LICENSE", "THIRD_PARTY.md", "Apache-2.0.txt"} <= {Path(name).name for name in archive.namelist()}


def test_only_the_wheel_without_programs_asks_for_httpstan(wheel: Path, tmp_path: Path) -> None:
    plain = build(tmp_path, "")
    assert plain.name.endswith("-py3-none-any.whl") and not carried(plain)
    needed = {
        name: re.findall(r"^Requires-Dist: ([\w-]+)(?!.*extra ==)", metadata(path), re.MULTILINE)
        for name, path in (("plain", plain), ("carrying", wheel))
    }
    assert set(needed["plain"]) - set(needed["carrying"]) == {"httpstan"}
    assert set(needed["carrying"]) < set(needed["plain"]) and "cmdstanpy" in needed["carrying"]


@dataclass(frozen=True)
class Machine:
    """A home without anything, and a PATH with nothing but the installed programs."""

    home: Path
    programs: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.programs / command[0]), *command[1:]],
            env={"PATH": str(self.programs), "HOME": str(self.home), "NO_COLOR": "1", "TERMINAL_WIDTH": "100"},
            cwd=self.home,
            capture_output=True,
            text=True,
        )


@pytest.fixture(scope="module")
def machine(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    place = tmp_path_factory.mktemp("machine")
    subprocess.run([sys.executable, "-m", "venv", str(place / "venv")], check=True)
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    install = [str(place / "venv" / "bin" / "python"), "-m", "pip", "install", "--quiet", str(wheel)]
    subprocess.run(install, env=plain, check=True)
    (place / "home").mkdir()
    return Machine(place / "home", place / "venv" / "bin")


def test_it_fits_without_compiler_and_httpstan(machine: Machine) -> None:
    absent = machine.run("python", "-c", "import httpstan")
    assert absent.returncode != 0 and "No module named 'httpstan'" in absent.stderr
    found = machine.run("python", "-c", "import shutil; print([shutil.which(x) for x in ('g++', 'clang++', 'make')])")
    assert found.stdout == "[None, None, None]\n"
    assert machine.run("hierfit", "simulate", "--out", "sim").returncode == 0
    fitted = machine.run(
        "hierfit", "fit", "sim/data.csv", "--y", "score", "--x", "ses", "--group", "school", "--seed", "1", "--out", "r"
    )
    assert fitted.returncode == 0, fitted.stderr
    assert "Checks   OK" in fitted.stdout and "Compiling" not in fitted.stderr
    run = json.loads((machine.home / "r" / "run.json").read_text())
    assert run["toolchain"] == "bundled" and re.match(r"2\.\d+", run["stan"]) and run["compiler"]
    assert not (machine.home / ".cache" / "hierfit").exists()  # run from where it was installed


def test_another_family_fits(machine: Machine) -> None:
    assert machine.run("hierfit", "simulate", "--family", "poisson", "--out", "counts").returncode == 0
    arguments = ["counts/data.csv", "--family", "poisson", "--seed", "1", "--out", "c"]
    truth = json.loads((machine.home / "counts" / "truth.json").read_text())
    fitted = machine.run("hierfit", "fit", *arguments, "--formula", truth["formula"])
    assert fitted.returncode == 0, fitted.stderr


def test_the_doctor_is_content(machine: Machine) -> None:
    done = machine.run("hierfit", "doctor")
    assert done.returncode == 0, done.stdout
    assert "This machine can fit." in done.stdout and "FAIL" not in done.stdout
    assert "none needed: all programs are compiled" in done.stdout
