import errno
from pathlib import Path

import pytest

from hierfit.errors import DiskError, SamplerError
from hierfit.sampling import SamplerOptions
from hierfit.stan.chains import Chains
from hierfit.stan.executable import Executable
from hierfit.stan.stan_csv import ChainFiles


def failed_chains(tmp_path: Path, console: str, status: int) -> Chains:
    """Four chains of which the second has failed."""
    executable = Executable(tmp_path / "program", "digest", "bundled", "2.35.0")
    chains = Chains(executable, SamplerOptions(), tmp_path)
    chains.files = tuple(ChainFiles(tmp_path / f"{i}.txt", tmp_path / f"{i}.csv") for i in range(4))
    chains.files[1].console.write_text(console)
    chains._statuses = {1: status}
    return chains


@pytest.mark.parametrize(
    ("console", "status", "words", "quoted"),
    [
        (
            "method = sample\nInitialization between (-2, 2) failed after 100 attempts. \nx",
            1,
            "no starting point",
            "100",
        ),
        ("Exception: variable does not exist; variable name=y; base type=real", 1, "data lack", "name=y"),
        ("Exception: mismatch in dimension declared and found in context; name=X", 1, "another shape", "name=X"),
        ("Exception initializing step size.\nboom", 1, "no step size", "initializing"),
        ("./p: error while loading shared libraries: libtbb.so.2", 127, "lacks a library", "libtbb"),
        ("std::bad_alloc", 1, "out of memory", "bad_alloc"),
        ("Iteration: 1", -9, "was killed", "memory"),
        ("method = sample\nsomething odd: cannot go on\n\n", 1, "status 1", "cannot go on"),
        ("", 1, "status 1", "nothing"),
    ],
)
def test_failures_are_put_into_words(tmp_path: Path, console: str, status: int, words: str, quoted: str) -> None:
    with pytest.raises(SamplerError) as caught:
        failed_chains(tmp_path, console, status).raise_failure(None)
    message = caught.value.message
    assert words in message and quoted in message and "hain 2" in message
    assert "\n" not in message and len(message) < 600


def test_no_failure_no_error(tmp_path: Path) -> None:
    failed_chains(tmp_path, "", 0).raise_failure(None)


@pytest.mark.parametrize(
    ("status", "console", "lost"),
    [(-9, "", True), (-11, "", True), (1, "std::bad_alloc", True), (1, "Initialization failed", False), (0, "", None)],
)
def test_a_chain_that_is_killed_is_lost_and_no_failure(
    tmp_path: Path, status: int, console: str, lost: bool | None
) -> None:
    chains = failed_chains(tmp_path, console, status)
    chains._statuses |= {0: 0, 2: 0, 3: 0}
    assert chains.lost == ((1,) if lost else ())
    if lost is False:
        with pytest.raises(SamplerError):
            chains.raise_failure(RuntimeError("cmdstanpy says that a chain failed"))
    else:
        chains.raise_failure(RuntimeError("cmdstanpy says that a chain failed") if lost else None)


def test_a_full_disk_is_said_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for console in ("basic_ios::clear: iostream error", "cannot write: No space left on device"):
        with pytest.raises(DiskError, match=r"could not be written: the disk is full \(.*MB free\)") as caught:
            failed_chains(tmp_path, console, 1).raise_failure(None)
        assert caught.value.exit_code == 2 and "TMPDIR" in (caught.value.hint or "")
    monkeypatch.setattr("hierfit.stan.chains.has_room", lambda folder: False)
    with pytest.raises(DiskError):  # not even the console could be written
        failed_chains(tmp_path, "", 1).raise_failure(None)
    with pytest.raises(DiskError):
        failed_chains(tmp_path, "", 0).raise_failure(OSError(errno.ENOSPC, "No space left on device"))
