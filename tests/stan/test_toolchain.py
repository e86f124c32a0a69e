import os
from pathlib import Path

import pytest

from hierfit.errors import ToolchainError, UsageError
from hierfit.stan import toolchain
from hierfit.stan.toolchain import bundled_toolchain, cmdstan_folder, cmdstan_toolchain, driver_sources, find_toolchain


@pytest.fixture(autouse=True)
def no_cmdstan(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A home without CmdStan."""
    monkeypatch.delenv("CMDSTAN", raising=False)
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(toolchain, "_cmdstan_home", lambda: tmp_path / ".cmdstan")


def make_cmdstan(folder: Path, version: str) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "makefile").write_text(f"# CmdStan\nCMDSTAN_VERSION := {version}\n")
    (folder / "bin" / "stanc").write_text("")
    return folder


def httpstan(folder: Path) -> Path:
    header = folder / "include" / "stan" / "version.hpp"
    header.parent.mkdir(parents=True)
    header.write_text("#define STAN_MAJOR 2\n#define STAN_MINOR 35\n#define STAN_PATCH 1\n")
    (folder / "stanc").write_text("")
    return folder


def test_auto_takes_a_cmdstan_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CMDSTAN", str(make_cmdstan(tmp_path / "mine", "2.36.0")))
    found = find_toolchain("auto")
    assert (found.kind, found.stan_version, found.root) == ("cmdstan", "2.36.0", tmp_path / "mine")


def test_the_newest_cmdstan_of_the_default_place_counts_numbers_not_letters(tmp_path: Path) -> None:
    for version in ("2.9.0", "2.36.0", "2.35.1"):
        make_cmdstan(tmp_path / ".cmdstan" / f"cmdstan-{version}", version)
    assert find_toolchain("auto").stan_version == "2.36.0"


def test_a_cmdstan_that_is_not_built_is_passed_over(tmp_path: Path) -> None:
    make_cmdstan(tmp_path / ".cmdstan" / "cmdstan-2.35.0", "2.35.0")
    newest = make_cmdstan(tmp_path / ".cmdstan" / "cmdstan-2.37.0", "2.37.0")
    (newest / "bin" / "stanc").unlink()
    assert cmdstan_toolchain().stan_version == "2.35.0"


def test_auto_without_cmdstan_is_bundled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(toolchain, "httpstan_folder", lambda: httpstan(tmp_path / "httpstan"))
    found = find_toolchain("auto")
    assert (found.kind, found.stan_version) == ("bundled", "2.35.1")


def test_a_wrong_cmdstan_variable_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CMDSTAN", str(tmp_path / "nowhere"))
    make_cmdstan(tmp_path / ".cmdstan" / "cmdstan-2.35.0", "2.35.0")
    assert cmdstan_folder() is None  # the variable wins, as it does in cmdstanpy
    with pytest.raises(ToolchainError, match="nowhere is not a built CmdStan"):
        find_toolchain("cmdstan")


def test_without_httpstan_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain, "httpstan_folder", lambda: None)
    with pytest.raises(ToolchainError, match="httpstan") as caught:
        bundled_toolchain()
    assert "--install-cmdstan" in (caught.value.hint or "")


def test_an_unknown_choice_lists_the_valid_ones() -> None:
    with pytest.raises(UsageError, match="Did you mean 'bundled'") as caught:
        find_toolchain("bundle")
    assert "auto, bundled, cmdstan" in (caught.value.hint or "")


def test_without_a_compiler_the_package_to_install_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(toolchain, "httpstan_folder", lambda: httpstan(tmp_path / "httpstan"))
    monkeypatch.setenv("PATH", str(tmp_path))
    found = find_toolchain("bundled")  # finding needs no compiler: a program that is built already runs without
    with pytest.raises(ToolchainError, match="g\\+\\+ and clang\\+\\+") as caught:
        found.require_compiler()
    hint = caught.value.hint or ""
    assert all(word in hint for word in ("apt install g++", "dnf install gcc-c++", "conda", "hierfit doctor"))


def test_cxx_is_taken_with_its_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("ccache", "g++"):
        (tmp_path / name).write_text("#!/bin/sh\necho my compiler 3\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CXX", "ccache g++-12")
    monkeypatch.setattr(toolchain, "httpstan_folder", lambda: httpstan(tmp_path / "httpstan"))
    found = bundled_toolchain()
    assert found.compiler == ("ccache", "g++-12")
    assert found.compiler_version == "my compiler 3"


@pytest.mark.parametrize("change", ["compiler", "flags", "driver"])
def test_the_fingerprint_follows_what_decides_the_result(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, change: str
) -> None:
    root = httpstan(tmp_path / "httpstan")
    monkeypatch.setattr(toolchain, "httpstan_folder", lambda: root)
    before = bundled_toolchain().fingerprint
    assert bundled_toolchain().fingerprint == before
    if change == "compiler":
        monkeypatch.setattr(toolchain, "_compiler_version", lambda compiler: "another")
    elif change == "flags":
        monkeypatch.setattr(toolchain, "MODEL_FLAGS", ("-O0",))
    else:
        (tmp_path / "main.cpp").write_text("int main() {}")
        monkeypatch.setattr(toolchain, "driver_sources", lambda: (tmp_path / "main.cpp",))
    assert bundled_toolchain().fingerprint != before


def test_the_driver_is_found_and_small() -> None:
    sources = driver_sources()
    assert {"main.cpp", "driver.cpp", "arguments.cpp"} <= {source.name for source in sources}
    lines = [line.strip() for source in sources for line in source.read_text().splitlines()]
    assert len([line for line in lines if line and not line.startswith("//")]) < 1000
