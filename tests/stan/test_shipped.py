import os
from pathlib import Path

import pytest

from hierfit.errors import ToolchainError
from hierfit.stan import shipped, toolchain
from hierfit.stan.doctor import examine
from hierfit.stan.executable import build_executable, executable_path, find_executable
from hierfit.stan.programs import StanProgram, all_programs
from hierfit.stan.toolchain import bundled_toolchain, find_toolchain
from tests.stan.conftest import sealed_script

PROGRAM = StanProgram("gaussian", "parameters { real x; } model { x ~ normal(0, 1); }")
EVERY = {program.name for program in all_programs()}


@pytest.fixture(autouse=True)
def built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An installation that carries all programs and `PROGRAM`, on a machine without compiler and httpstan."""
    folder = tmp_path / "hierfit" / "built"
    folder.mkdir(parents=True)
    (folder / "stan_version").write_text("2.34.0\n")
    (folder / "compiler_version").write_text("g++ 12.2.0\n")
    (folder / "libtbb.so.2").write_text("library")
    monkeypatch.setattr(shipped, "SHIPPED", folder)
    monkeypatch.setattr(toolchain, "httpstan_folder", lambda: None)
    monkeypatch.setattr(toolchain, "_cmdstan_home", lambda: tmp_path / ".cmdstan")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HIERFIT_CACHE", str(tmp_path / "cache"))
    for name in ("CMDSTAN", "CXX"):
        monkeypatch.delenv(name, raising=False)
    for program in (PROGRAM, *all_programs()):
        carried = folder / executable_path(program, bundled_toolchain()).name
        sealed_script(carried, "")
    return folder


def test_a_program_that_the_wheel_carries_is_not_built(built: Path) -> None:
    toolchain = find_toolchain("bundled")
    found = build_executable(PROGRAM, toolchain)
    assert found.path.parent == built
    assert (found.toolchain_kind, found.stan_version, found.seconds) == ("bundled", "2.34.0", 0.0)
    assert toolchain.compiler_version == "g++ 12.2.0"


def test_auto_prefers_it_to_a_cmdstan(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cmdstan = tmp_path / "cmdstan"
    (cmdstan / "bin").mkdir(parents=True)
    (cmdstan / "makefile").write_text("CMDSTAN_VERSION := 2.36.0\n")
    (cmdstan / "bin" / "stanc").write_text("")
    monkeypatch.setenv("CMDSTAN", str(cmdstan))
    assert find_toolchain("auto").shipped
    assert find_toolchain("cmdstan").stan_version == "2.36.0"


def test_a_lost_run_bit_is_restored(built: Path) -> None:
    program = built / executable_path(PROGRAM, bundled_toolchain()).name
    program.chmod(0o644)
    found = find_executable(PROGRAM, bundled_toolchain())
    assert found is not None and found.path == program and os.access(program, os.X_OK)


def test_where_it_cannot_be_restored_a_copy_in_the_cache_is_run(
    built: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = built / executable_path(PROGRAM, bundled_toolchain()).name
    program.chmod(0o644)
    allowed = Path.chmod

    def refuse(path: Path, mode: int) -> None:
        if path.parent == built:
            raise PermissionError("a folder of root's")
        allowed(path, mode)

    monkeypatch.setattr(Path, "chmod", refuse)
    found = find_executable(PROGRAM, bundled_toolchain())
    assert found is not None and found.path.is_relative_to(tmp_path / "cache") and os.access(found.path, os.X_OK)
    assert (found.path.parent / "libtbb.so.2").read_text() == "library"  # found through $ORIGIN
    monkeypatch.setenv("HIERFIT_CACHE", str(program / "cache"))  # not even root can make a folder in a file
    with pytest.raises(ToolchainError, match="cannot be copied") as caught:
        find_executable(PROGRAM, bundled_toolchain())
    assert "HIERFIT_CACHE" in (caught.value.hint or "")


def test_one_that_is_not_what_was_made_is_not_run(built: Path) -> None:
    name = executable_path(PROGRAM, bundled_toolchain()).name
    (built / name).write_text("#!/bin/sh\ntouch /tmp/planted")
    assert find_executable(PROGRAM, bundled_toolchain()) is None
    with pytest.raises(
        ToolchainError, match=rf"{name}: its checksum is not that of what was built. It is not"
    ) as caught:
        build_executable(PROGRAM, bundled_toolchain())
    assert caught.value.hint == "Install hierfit again."
    (built / f"{next(all_programs()).name}-{next(all_programs()).digest[:16]}").write_text("")
    assert [finding.name for finding in examine() if not finding.ok] == []
    (built / f"{next(all_programs()).name}-{next(all_programs()).digest[:16]}").write_text("other")
    assert [finding.name for finding in examine() if not finding.ok] == ["compiler", "changed"]


def test_a_group_that_may_write_to_the_package_may_write_to_its_programs(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = executable_path(PROGRAM, bundled_toolchain()).name
    (built / name).chmod(0o775)
    assert find_executable(PROGRAM, bundled_toolchain()) is None
    package = built.parent / "shipped.py"
    package.write_text("")
    package.chmod(0o664)
    monkeypatch.setattr(shipped, "__file__", str(package))
    assert find_executable(PROGRAM, bundled_toolchain()) is not None


def test_a_program_that_did_not_come_along_cannot_be_built() -> None:
    with pytest.raises(ToolchainError, match="carries compiled Stan programs"):
        build_executable(StanProgram("other", "model {}"), bundled_toolchain())


def test_the_doctor_misses_neither_compiler_nor_httpstan(monkeypatch: pytest.MonkeyPatch, built: Path) -> None:
    monkeypatch.setenv("HIERFIT_CACHE", str(built / "stan_version" / "cache"))  # nor a place to write
    findings = {finding.name: finding for finding in examine()}
    assert [finding for finding in findings.values() if not finding.ok] == []
    assert findings["toolchain"].value == f"bundled, compiled, in {built}"
    assert findings["compiler"].value == "none needed: all programs are compiled"
    assert findings["built programs"].value == f"{len(EVERY)} of {len(EVERY)}"
