import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from hierfit.errors import ToolchainError
from hierfit.stan import executable
from hierfit.stan.executable import build_executable, cache_dir, cache_size, executable_path, toolchain_folder
from hierfit.stan.programs import StanProgram
from hierfit.stan.toolchain import Toolchain

PROGRAM = StanProgram("gaussian", "parameters { real x; } model { x ~ normal(0, 1); }")

# Builds the same program in a process of its own and says what it took; the toolchain is the fixture's, by its repr.
BUILD = """
import sys
from pathlib import Path, PosixPath
from hierfit.stan.executable import build_executable
from hierfit.stan.programs import StanProgram
from hierfit.stan.toolchain import Toolchain
built = build_executable(StanProgram(sys.argv[1], sys.argv[2]), eval(sys.argv[3]))
print(built.seconds > 0, built.path.is_file())
"""


def build_elsewhere(toolchain: Toolchain, seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BUILD, PROGRAM.name, PROGRAM.text, repr(toolchain)],
        env={**os.environ, "FAKE_SECONDS": str(seconds)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_the_first_build_says_what_it_does_and_the_second_is_silent(fake_toolchain: Toolchain) -> None:
    said: list[str] = []
    first = build_executable(PROGRAM, fake_toolchain, said.append)
    assert first.path == executable_path(PROGRAM, fake_toolchain)
    assert first.seconds > 0 and first.program_digest == PROGRAM.digest
    assert len(said) == 1 and "gaussian" in said[0] and "half a minute, once" in said[0]
    again = build_executable(PROGRAM, fake_toolchain, said.append)
    assert again == replace(first, seconds=0.0)
    assert len(said) == 1


def test_the_cache_key_follows_text_and_toolchain(fake_toolchain: Toolchain) -> None:
    paths = {
        executable_path(PROGRAM, fake_toolchain),
        executable_path(replace(PROGRAM, text="parameters { real y; }"), fake_toolchain),
        executable_path(PROGRAM, replace(fake_toolchain, fingerprint="0" * 64)),
        executable_path(PROGRAM, replace(fake_toolchain, stan_version="2.39.0")),
    }
    assert len(paths) == 4
    assert all("." not in path.name for path in paths)  # cmdstanpy cuts names at dots


def test_the_driver_is_compiled_once_for_all_programs(fake_toolchain: Toolchain) -> None:
    build_executable(PROGRAM, fake_toolchain)
    home = toolchain_folder(fake_toolchain)
    made = {name: (home / name).stat().st_mtime_ns for name in ("driver.o", "pathfinder.o", "libtbb.so.2")}
    said: list[str] = []
    build_executable(replace(PROGRAM, name="poisson"), fake_toolchain, said.append)
    assert "quarter of a minute" in said[0]
    assert made == {name: (home / name).stat().st_mtime_ns for name in made}


def test_cache_size_counts_what_is_there(fake_toolchain: Toolchain) -> None:
    assert cache_size() == 0
    built = build_executable(PROGRAM, fake_toolchain)
    assert cache_size() >= built.path.stat().st_size > 0
    assert cache_dir() in built.path.parents


def test_two_processes_build_once(fake_toolchain: Toolchain) -> None:
    processes = [build_elsewhere(fake_toolchain, seconds=0.5) for _ in range(2)]
    answers = sorted(process.communicate(timeout=60)[0].strip() for process in processes)
    assert answers == ["False True", "True True"]


def test_a_waiting_build_says_so(fake_toolchain: Toolchain) -> None:
    home = toolchain_folder(fake_toolchain)
    home.mkdir(parents=True)
    said: list[str] = []
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        threading.Timer(0.3, fcntl.flock, (lock, fcntl.LOCK_UN)).start()
        build_executable(PROGRAM, fake_toolchain, said.append)
    assert said[0].startswith("Waiting for another hierfit")


def test_a_killed_build_leaves_a_usable_cache(fake_toolchain: Toolchain) -> None:
    home = toolchain_folder(fake_toolchain)
    killed = build_elsewhere(fake_toolchain, seconds=5)
    deadline = time.monotonic() + 30
    while not list(home.glob("building-*/model.cpp")):
        assert time.monotonic() < deadline, "the build never started"
        time.sleep(0.05)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert list(home.glob("building-*")) and not executable_path(PROGRAM, fake_toolchain).exists()
    assert build_executable(PROGRAM, fake_toolchain).path.is_file()
    assert not list(home.glob("building-*"))


def test_an_interrupt_ends_the_compilers(fake_toolchain: Toolchain) -> None:
    building = build_elsewhere(fake_toolchain, seconds=60)
    deadline = time.monotonic() + 30
    while not list(toolchain_folder(fake_toolchain).glob("building-*/model.cpp")):
        assert time.monotonic() < deadline, "the build never started"
        time.sleep(0.05)
    time.sleep(0.2)
    building.send_signal(signal.SIGINT)
    assert building.wait(20) != 0
    assert not list(toolchain_folder(fake_toolchain).glob("building-*"))


def test_a_failed_build_quotes_the_compiler_and_names_the_log(
    fake_toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_ERROR", "'foo' was not declared")
    with pytest.raises(ToolchainError, match="error: 'foo' was not declared") as caught:
        build_executable(PROGRAM, fake_toolchain)
    log = Path(caught.value.message.rpartition("The whole log: ")[2])
    assert "$ g++" in log.read_text()
    assert not executable_path(PROGRAM, fake_toolchain).exists()
    monkeypatch.delenv("FAKE_ERROR")
    assert build_executable(PROGRAM, fake_toolchain).seconds > 0


def test_a_cache_that_cannot_be_written_is_named(
    fake_toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HIERFIT_CACHE", str(tmp_path / "file" / "cache"))  # not even root can make a folder in a file
    with pytest.raises(ToolchainError, match="Cannot write to the cache") as caught:
        build_executable(PROGRAM, fake_toolchain)
    assert "HIERFIT_CACHE" in (caught.value.hint or "")


def test_no_compiler_is_an_error_only_when_there_is_something_to_build(fake_toolchain: Toolchain) -> None:
    built = build_executable(PROGRAM, fake_toolchain)
    bare = replace(fake_toolchain, compiler=(), compiler_version="", fingerprint="0" * 64)
    assert build_executable(PROGRAM, bare).path == built.path
    with pytest.raises(ToolchainError, match="needs a C\\+\\+ compiler"):
        build_executable(replace(PROGRAM, name="other"), bare)


def test_a_program_that_the_wheel_carries_is_not_built(
    fake_toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shipped = tmp_path / "built"
    shipped.mkdir()
    carried = shipped / executable_path(PROGRAM, fake_toolchain).name
    carried.write_text("")
    carried.chmod(0o755)
    (shipped / "stan_version").write_text("2.34.0\n")
    monkeypatch.setattr(executable, "SHIPPED", shipped)
    found = build_executable(PROGRAM, fake_toolchain)
    assert (found.path, found.stan_version, found.seconds) == (carried, "2.34.0", 0.0)


@pytest.mark.stan
def test_a_mistake_in_the_program_is_quoted(conjugate: object) -> None:
    from hierfit.stan.toolchain import bundled_toolchain

    with pytest.raises(ToolchainError, match="nowhere"):
        build_executable(StanProgram("broken", "model { nowhere ~ normal(0, 1); }"), bundled_toolchain())
