import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hierfit.errors import ToolchainError
from hierfit.stan.executable import (
    Executable,
    build_all,
    build_executable,
    executable_path,
    find_executable,
    missing_programs,
    toolchain_folder,
)
from hierfit.stan.programs import StanProgram
from hierfit.stan.seals import record_of
from hierfit.stan.toolchain import Toolchain

PROGRAM = StanProgram("gaussian", "parameters { real x; } model { x ~ normal(0, 1); }")
OTHER = replace(PROGRAM, name="poisson")

# Builds a program in a process of its own and says what it took; the toolchain is the fixture's, by its repr.
BUILD = """
import sys
from pathlib import Path, PosixPath
from hierfit.stan.executable import build_executable
from hierfit.stan.programs import StanProgram
from hierfit.stan.toolchain import Toolchain
built = build_executable(StanProgram(sys.argv[1], sys.argv[2]), eval(sys.argv[3]))
print(built.seconds > 0, built.path.is_file())
"""


def build_elsewhere(toolchain: Toolchain, seconds: float, program: StanProgram = PROGRAM) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BUILD, program.name, program.text, repr(toolchain)],
        env={**os.environ, "FAKE_SECONDS": str(seconds)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "the build never came so far"
        time.sleep(0.05)


def test_the_first_build_says_what_it_does_and_the_second_is_silent(fake_toolchain: Toolchain) -> None:
    said: list[str] = []
    first = build_executable(PROGRAM, fake_toolchain, said.append)
    assert first.path == executable_path(PROGRAM, fake_toolchain)
    assert first.seconds > 0 and first.program_digest == PROGRAM.digest
    assert len(said) == 1 and "gaussian" in said[0] and "a minute or two, once" in said[0]
    assert "brought none compiled" in said[0] and "hierfit doctor --build" in said[0]
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
    build_executable(OTHER, fake_toolchain, said.append)
    assert "about a minute" in said[0] and "--build" not in said[0]  # why, and what else can be done, only once
    assert made == {name: (home / name).stat().st_mtime_ns for name in made}


@pytest.mark.parametrize("cores", [1, 2])
def test_a_program_that_is_built_alone_takes_two_cores_where_there_are_two(
    fake_toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch, cores: int
) -> None:
    monkeypatch.setattr("hierfit.stan.executable._workers", lambda: cores)
    home, third = toolchain_folder(fake_toolchain), replace(PROGRAM, name="beta")
    build_executable(PROGRAM, fake_toolchain)  # beside the driver
    build_executable(OTHER, fake_toolchain)
    build_all(fake_toolchain, None, [third, replace(PROGRAM, name="gamma")])
    apart = [log.name.partition("-")[0] for log in home.glob("*.log") if "kernel.cpp" in log.read_text()]
    assert apart == (["poisson"] if cores == 2 else [])


def test_finding_builds_nothing(fake_toolchain: Toolchain) -> None:
    assert find_executable(PROGRAM, fake_toolchain) is None
    assert missing_programs(fake_toolchain, [PROGRAM, OTHER]) == (PROGRAM, OTHER)
    assert not toolchain_folder(fake_toolchain).exists()
    built = build_executable(PROGRAM, fake_toolchain)
    assert find_executable(PROGRAM, fake_toolchain) == replace(built, seconds=0.0)
    assert missing_programs(fake_toolchain, [PROGRAM, OTHER]) == (OTHER,)


def plant(place: Path) -> None:
    place.write_text(f"#!/bin/sh\ntouch {place}.planted")


def truncate(place: Path) -> None:
    os.truncate(place, 10)


def replace_with_older(place: Path) -> None:
    (place.parent / "other").write_text("#!/bin/sh\n")
    os.replace(place.parent / "other", place)


def open_to_all(place: Path) -> None:
    place.chmod(0o777)


def forget(place: Path) -> None:
    record_of(place.parent, place.name).unlink()


def lose_library(place: Path) -> None:
    (place.parent / "libtbb.so.2").write_text("planted")


FAULTS = {
    plant: "checksum is not that",
    truncate: "checksum is not that",
    replace_with_older: "checksum is not that",
    open_to_all: "it can be written by other users",
    forget: "nothing says what was built there",
    lose_library: "libtbb.so.2 beside it: its checksum is not that",
}


@pytest.mark.parametrize("spoil", FAULTS, ids=lambda how: how.__name__)
def test_what_is_not_as_it_was_built_is_built_again(fake_toolchain: Toolchain, spoil: Callable[[Path], None]) -> None:
    built = build_executable(PROGRAM, fake_toolchain)
    other = build_executable(OTHER, fake_toolchain)
    spoil(built.path)
    assert find_executable(PROGRAM, fake_toolchain) is None
    assert PROGRAM in missing_programs(fake_toolchain, [PROGRAM, OTHER])
    said: list[str] = []
    again = build_executable(PROGRAM, fake_toolchain, said.append)
    assert again.seconds > 0 and again.path == built.path
    assert said[0].startswith(f"{built.path}: ") and FAULTS[spoil] in said[0] and len(said) == 2
    assert "FAKE" not in built.path.read_text() and not list(built.path.parent.glob("*.planted"))
    assert find_executable(PROGRAM, fake_toolchain) == replace(built, seconds=0.0)
    assert find_executable(OTHER, fake_toolchain) == replace(other, seconds=0.0)
    spoil(built.path)
    build_all(fake_toolchain, said.append, [PROGRAM, OTHER])
    assert any(FAULTS[spoil] in text for text in said[2:])


def test_a_driver_that_is_not_as_it_was_built_is_not_linked(fake_toolchain: Toolchain) -> None:
    build_executable(PROGRAM, fake_toolchain)
    driver = toolchain_folder(fake_toolchain) / "driver.o"
    whole = driver.read_text()
    driver.write_text("planted")
    build_executable(OTHER, fake_toolchain)
    assert driver.read_text() == whole


def test_a_cache_that_was_open_to_others_is_closed_and_what_was_built_stays(fake_toolchain: Toolchain) -> None:
    built = build_executable(PROGRAM, fake_toolchain)
    built.path.parent.chmod(0o777)
    assert find_executable(PROGRAM, fake_toolchain) is None
    said: list[str] = []
    assert build_executable(PROGRAM, fake_toolchain, said.append) == replace(built, seconds=0.0)
    assert said == [] and built.path.parent.stat().st_mode & 0o022 == 0


def test_two_processes_build_once(fake_toolchain: Toolchain) -> None:
    processes = [build_elsewhere(fake_toolchain, seconds=0.5) for _ in range(2)]
    answers = sorted(process.communicate(timeout=60)[0].strip() for process in processes)
    assert answers == ["False True", "True True"]


def test_different_programs_are_built_at_the_same_time(fake_toolchain: Toolchain) -> None:
    home = toolchain_folder(fake_toolchain)
    processes = [build_elsewhere(fake_toolchain, 60, program) for program in (PROGRAM, OTHER)]
    try:
        wait_for(lambda: len(list(home.glob("*.building-*/model.cpp"))) == 2)
        assert len(list(home.glob("driver.building-*"))) == 1  # the driver is made by one of them, for both
    finally:
        for process in processes:
            process.send_signal(signal.SIGINT)
            process.wait(20)


def test_a_waiting_build_says_so(fake_toolchain: Toolchain) -> None:
    target = executable_path(PROGRAM, fake_toolchain)
    target.parent.mkdir(parents=True)
    said: list[str] = []
    with target.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        threading.Timer(0.3, fcntl.flock, (lock, fcntl.LOCK_UN)).start()
        build_executable(PROGRAM, fake_toolchain, said.append)
    assert said[0].startswith("Waiting for another hierfit")


@pytest.mark.parametrize("next_program", [PROGRAM, OTHER], ids=["the same program", "another"])
def test_a_killed_build_leaves_a_usable_cache(fake_toolchain: Toolchain, next_program: StanProgram) -> None:
    home = toolchain_folder(fake_toolchain)
    killed = build_elsewhere(fake_toolchain, seconds=5)
    wait_for(lambda: bool(list(home.glob("*.building-*/model.cpp")) and list(home.glob("driver.building-*"))))
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert len(list(home.glob("*.building-*"))) == 2 and not executable_path(PROGRAM, fake_toolchain).exists()
    assert build_executable(next_program, fake_toolchain).path.is_file()
    assert not list(home.glob("*.building-*"))


def test_what_another_process_is_building_stays(fake_toolchain: Toolchain) -> None:
    home = toolchain_folder(fake_toolchain)
    build_executable(PROGRAM, fake_toolchain)
    busy = build_elsewhere(fake_toolchain, 60, OTHER)
    try:
        wait_for(lambda: bool(list(home.glob("poisson-*.building-*/model.cpp"))))
        build_executable(replace(PROGRAM, name="beta"), fake_toolchain)
        assert [path.name.partition("-")[0] for path in home.glob("*.building-*")] == ["poisson"]
    finally:
        busy.send_signal(signal.SIGINT)
        busy.wait(20)


def test_an_interrupt_ends_the_compilers(fake_toolchain: Toolchain) -> None:
    building = build_elsewhere(fake_toolchain, seconds=60)
    home = toolchain_folder(fake_toolchain)
    wait_for(lambda: bool(list(home.glob("*.building-*/model.cpp"))))
    time.sleep(0.2)
    building.send_signal(signal.SIGINT)
    assert building.wait(20) != 0
    assert not list(home.glob("*.building-*"))


PROGRAMS = tuple(replace(PROGRAM, name=name) for name in ("beta", "gamma", "student"))


def test_all_are_built_side_by_side(fake_toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hierfit.stan.executable._workers", lambda: 3)
    monkeypatch.setenv("FAKE_SECONDS", "0.5")
    build_executable(PROGRAM, fake_toolchain)
    said: list[str] = []
    started = time.monotonic()
    built = build_all(fake_toolchain, said.append, [PROGRAM, *PROGRAMS])
    # One after another, compiling and linking three programs takes 3 s at least.
    assert time.monotonic() - started < 2.5
    assert [one.path for one in built] == [executable_path(one, fake_toolchain) for one in (PROGRAM, *PROGRAMS)]
    assert said[0].startswith("Compiling 3 Stan programs with Stan 2.35, 3 at a time")
    assert len(said) == 4 and said[-1].startswith("  3 of 3: ")
    build_all(fake_toolchain, said.append, [PROGRAM, *PROGRAMS])
    assert len(said) == 4


def test_one_failure_does_not_stop_the_others(fake_toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch) -> None:
    def build_one(program: StanProgram, *others: object) -> Executable:
        if program.name == "gamma":
            raise ToolchainError("no luck with gamma")
        return build_executable(program, fake_toolchain)

    monkeypatch.setattr("hierfit.stan.executable.build_executable", build_one)
    with pytest.raises(ToolchainError, match="no luck with gamma"):
        build_all(fake_toolchain, None, PROGRAMS)
    assert [program.name for program in missing_programs(fake_toolchain, PROGRAMS)] == ["gamma"]


def test_an_interrupt_ends_all_builds(fake_toolchain: Toolchain) -> None:
    text = BUILD.replace("import build_executable", "import build_all")
    text = text.partition("built = ")[0] + "build_all(eval(sys.argv[1]))"
    command = [sys.executable, "-c", text, repr(fake_toolchain)]
    building = subprocess.Popen(command, env={**os.environ, "FAKE_SECONDS": "60"}, stderr=subprocess.DEVNULL)
    home = toolchain_folder(fake_toolchain)
    wait_for(lambda: bool(list(home.glob("*.building-*/model.cpp"))))
    time.sleep(0.2)
    building.send_signal(signal.SIGINT)
    assert building.wait(20) != 0
    assert not list(home.glob("*.building-*"))


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


@pytest.mark.stan
def test_a_mistake_in_the_program_is_quoted(conjugate: object) -> None:
    from hierfit.stan.toolchain import bundled_toolchain

    with pytest.raises(ToolchainError, match="nowhere"):
        build_executable(StanProgram("broken", "model { nowhere ~ normal(0, 1); }"), bundled_toolchain())
