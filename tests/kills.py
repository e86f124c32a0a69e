"""Random kills of fits, extends and compilations: what they leave on the disk and among the processes.

    python -m tests.kills [how many] [seed]

Every command is stopped by a random signal at a random moment. Afterwards no process of it runs; a run is whole, the
old or a new one; what the user put beside it is there; and there are no temporary files: at once, or, after SIGKILL,
when the next command is done. Linux only, as it looks into /proc.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hierfit.runs import finished
from hierfit.runs.folder import open_whole

MARK = "HIERFIT_TEST_MARK"
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
FIT = ["fit", "data.csv", "--y", "y", "--x", "x", "--group", "g", "--family", "bernoulli", "--quiet"]
HIERFIT = [sys.executable, "-m", "hierfit"]
# Compiles a program that no cache has, in a cache of its own.
BUILD = """
from hierfit.cli.app import main
import hierfit.machine
hierfit.machine.build_all = lambda toolchain, say: build_all(toolchain, say, [StanProgram("gaussian", TEXT)])
from hierfit.stan.executable import build_all
from hierfit.stan.programs import StanProgram
TEXT = "parameters { real x; } model { x ~ normal(0, 1); }"
main(["doctor", "--build", "--toolchain", "bundled"])
"""


@dataclass(frozen=True)
class Kind:
    """A kind of command, and how many seconds it takes at most until it is stopped."""

    name: str
    command: list[str]
    seconds: float


KINDS = (
    Kind("fit", [*HIERFIT, *FIT, "--draws", "4000", "--out", "new"], 8),
    Kind("overwrite", [*HIERFIT, *FIT, "--draws", "500", "--until-ess", "4", "--out", "run", "--overwrite"], 8),
    Kind("extend", [*HIERFIT, "extend", "run", "--draws", "500", "--quiet"], 8),
    Kind("several factors", [*HIERFIT, *FIT[:6], "--group", "g", "--group", "h", "--quiet", "--out", "new"], 4),
    Kind("build", [sys.executable, "-c", BUILD], 14),
)


def write_data(folder: Path) -> None:
    """Write a CSV with a binary outcome, two factors and a predictor."""
    rng = random.Random(1)
    levels = [rng.gauss(0, 1) for _ in range(30)]
    lines = ["y,x,g,h"]
    for _ in range(1500):
        g, x = rng.randrange(30), rng.gauss(0, 1)
        lines.append(f"{int(rng.gauss(levels[g] + 0.5 * x, 1.5) > 0)},{x:.4f},g{g},h{rng.randrange(12)}")
    (folder / "data.csv").write_text("\n".join(lines) + "\n")


def living(mark: str) -> list[str]:
    """Return the commands of the processes that carry a mark in their environment."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and f"{MARK}={mark}".encode() in (process / "environ").read_bytes().split(b"\0"):
                words = (process / "cmdline").read_bytes().split(b"\0")
                found.append(b" ".join(words[:3]).decode(errors="replace"))
        except OSError:
            continue  # it has ended, or is another user's
    return [command for command in found if command]


def is_whole(run: Path) -> bool:
    """Whether all files of a run are those that its run.json names, and can be read."""
    done = finished.load(run)
    names = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()} - {"notes.txt"}
    files = [open_whole(run, name).path / name for name in done.manifest["files"]]
    return all(file.is_file() for file in files) and names == {*done.manifest["files"], "run.json"}


@dataclass(frozen=True)
class Place:
    """Where all of it happens.

    Attributes:
        folder: current folder of the commands.
        temporary: their TMPDIR.
        cache: their cache of programs when they build.
    """

    folder: Path
    temporary: Path
    cache: Path

    def environment(self, kind: Kind, mark: str) -> Mapping[str, str]:
        """Return the environment of a command."""
        own = {MARK: mark, "TMPDIR": str(self.temporary)}
        return {**os.environ, **own, **({"HIERFIT_CACHE": str(self.cache)} if kind.name == "build" else {})}

    def leftovers(self) -> list[str]:
        """Return what should not be there."""
        hidden = [path for path in self.folder.rglob("*") if path.name.startswith(".")]
        return [str(path) for path in [*hidden, *self.temporary.iterdir(), *self.cache.rglob("*.building-*")]]


def kill_one(place: Place, kind: Kind, number: signal.Signals, after: float, mark: str) -> str:
    """Start a command, stop it, look; return in a word how it ended.

    Raises:
        AssertionError: something is left that should not be.
    """
    said, before = place.folder.parent / "said.txt", place.leftovers()  # of those that were killed
    with said.open("w") as stream:
        command = subprocess.Popen(
            kind.command, cwd=place.folder, env=place.environment(kind, mark), stdout=stream, stderr=stream,
            start_new_session=True,
        )  # fmt: skip
    time.sleep(after)
    command.send_signal(number)
    status = command.wait(40)
    deadline = time.monotonic() + 5
    while living(mark) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert living(mark) == [], f"{living(mark)} after {number.name}"
    assert "Traceback" not in said.read_text() and "a bug in hierfit" not in said.read_text(), said.read_text()
    # Python ends by SIGINT, 130 to a shell, where the KeyboardInterrupt went through an exec, as in imports.
    assert status in (0, 1, 130, -number, -signal.SIGINT), f"status {status} after {number.name}: {said.read_text()}"
    new = [path for path in place.leftovers() if path not in before]
    assert new == [] or number == signal.SIGKILL, f"{new} after {number.name}"
    assert (place.folder / "run" / "notes.txt").read_text() == "mine"
    assert is_whole(place.folder / "run")
    ended = "killed" if status == -signal.SIGKILL else "done" if status in (0, 1) else "stopped"
    if (place.folder / "new").exists():
        assert is_whole(place.folder / "new")
        kept = json.loads((place.folder / "new" / "run.json").read_text())["status"] == "interrupted"
        ended = f"{ended}, kept" if kept else ended
        for path in sorted((place.folder / "new").iterdir()):
            path.unlink()
        (place.folder / "new").rmdir()
    return ended


def kill_many(n: int, seed: int, folder: Path) -> Counter[tuple[str, str, str]]:
    """Kill `n` commands; return how many of each kind ended how after which signal."""
    for number in (signal.SIGINT, signal.SIGHUP):  # ignored in the background and under nohup, here and by children
        signal.signal(number, signal.default_int_handler)
    place = Place(folder / "work", folder / "tmp", folder / "cache")
    for each in (place.folder, place.temporary, place.cache):
        each.mkdir()
    write_data(place.folder)
    first = [*HIERFIT, *FIT, "--draws", "100", "--until-ess", "4", "--out", "run"]
    subprocess.run(first, cwd=place.folder, env=place.environment(KINDS[0], "first"), check=False)
    (place.folder / "run" / "notes.txt").write_text("mine")
    rng, counts = random.Random(seed), Counter[tuple[str, str, str]]()
    for index in range(n):
        kind, number = KINDS[index % len(KINDS)], SIGNALS[rng.randrange(len(SIGNALS))]
        after = rng.uniform(0.02, kind.seconds)
        ended = kill_one(place, kind, number, after, f"{os.getpid()}-{index}")
        counts[kind.name, number.name, ended] += 1
        print(f"{index + 1:3} {kind.name:16} {number.name:8} after {after:5.2f} s: {ended}", flush=True)
    # the next commands of each kind leave nothing of all this
    for kind in (KINDS[4], KINDS[0]):
        done = subprocess.run(kind.command, cwd=place.folder, env=place.environment(kind, "last"), check=False)
        assert done.returncode in (0, 1)
    assert place.leftovers() == []
    return counts


def main() -> None:
    """Kill as many as the command line says, and print the counts."""
    words = sys.argv[1:]
    n, seed = int(words[0]) if words else 50, int(words[1]) if len(words) > 1 else 1
    with tempfile.TemporaryDirectory() as folder:
        for (kind, number, ended), count in sorted(kill_many(n, seed, Path(folder)).items()):
            print(f"{kind:16} {number:8} {ended:16} {count}")


if __name__ == "__main__":
    main()
