"""What cures fits that fail at the defaults: the advice of `hierfit.posterior.advice`, followed line by line.

    python -m tests.remedies [regular expression for names]

Each case is fitted; what stands under Try is followed, every line by itself, and so are the options that advice may
name for any fit. A line cures where the checks are OK after it, helps where they were FAILED and warn, and is said
with its CPU seconds as a multiple of those of the fit. The order of advice goes by the counts at the end.
"""

from __future__ import annotations

import json
import re
import resource
import shlex
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.full_engine_designs import SLOPES, SimulatedDesign, crossed, groups, nested

HIERFIT = [sys.executable, "-m", "hierfit"]
ALWAYS = ("--adapt-delta 0.99", "--warmup 2000")
SIGMA = {"sigma": 1.0}


def _beside(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.normal(size=n)


def _collinear(levels: int, rows: int, apart: float):  # type: ignore[no-untyped-def]
    def layout(rng: np.random.Generator) -> dict[str, np.ndarray]:
        columns = groups(levels, rows)(rng)
        return columns | {"x2": columns["x"] + apart * rng.normal(size=levels * rows)}

    return layout


def _rows_as_levels(levels: int, rows: int):  # type: ignore[no-untyped-def]
    def layout(rng: np.random.Generator) -> dict[str, np.ndarray]:
        return groups(levels, rows)(rng) | {"row": np.arange(float(levels * rows))}

    return layout


@dataclass(frozen=True)
class Case:
    """A model that does not fit well, and further options of the user's."""

    design: SimulatedDesign
    options: tuple[str, ...] = ()


def _case(name: str, formula: str, layout, sds, family: str, *options: str, **more) -> Case:  # type: ignore[no-untyped-def]
    return Case(SimulatedDesign(name, formula, layout, sds, family, **more), options)


TWO_SLOPES = "y ~ x + v + (1 + x + v | g)"
BESIDE = {"v": _beside}
CASES = [
    _case("3 levels, slopes, sigma", SLOPES + "; sigma ~ x", groups(3, 20), {"g": (0.1, 1.0)}, "gaussian",
          auxiliaries=SIGMA),
    _case("4 levels, two slopes", TWO_SLOPES + "; sigma ~ x", groups(4, 12, **BESIDE), {"g": (1.0, 0.2)}, "gaussian",
          auxiliaries=SIGMA),
    _case("bernoulli, 3 levels", SLOPES, groups(3, 30), {"g": (1.0, 0.5)}, "bernoulli"),
    _case("bernoulli, 2 levels, wide prior", "y ~ x + (1 | g)", groups(2, 20), {"g": (0.5,)}, "bernoulli",
          "--prior", "sd ~ cauchy(0, 25)"),
    _case("bernoulli, 4 rows a level, slopes", SLOPES, groups(30, 4), {"g": (0.5, 0.5)}, "bernoulli"),
    _case("bernoulli, two slopes, 6 levels", TWO_SLOPES, groups(6, 15, **BESIDE), {"g": (1.0, 0.3)}, "bernoulli"),
    _case("separated, flat prior", "y ~ x + (1 | g)", groups(8, 10), {"g": (0.3,)}, "bernoulli", "--prior",
          "b ~ flat()", slope=40.0),
    _case("near collinear", "y ~ x + x2 + (1 | g)", _collinear(10, 12, 0.001), {"g": (0.5,)}, "bernoulli",
          "--prior", "b ~ flat()"),
    _case("horseshoe", "y ~ x + v + (1 | g)", groups(8, 10, **BESIDE), {"g": (0.5,)}, "bernoulli",
          "--prior", "b ~ horseshoe(1)"),
    _case("poisson, 3 levels, slopes", SLOPES, groups(3, 12), {"g": (0.5, 0.3)}, "poisson", level=1.0),
    _case("negbinomial and rows as levels", "y ~ x + (1 | row) + (1 | g)", _rows_as_levels(8, 8), {"g": (0.5,)},
          "negbinomial", level=1.0, auxiliaries={"shape": 2.0}),
    _case("poisson nested, thin", "y ~ x + (1 + x | g) + (1 + x | h)", nested(4, 3, 4),
          {"g": (0.3, 0.1), "h": (0.2, 0.1)}, "poisson"),
    _case("student, heavy tails, 4 levels", SLOPES, groups(4, 10), {"g": (1.0, 0.5)}, "student",
          auxiliaries={"sigma": 1.0, "nu": 1.2}),
    _case("gaussian, one row a level", "y ~ x + (1 | row) + (1 | g); sigma ~ x", _rows_as_levels(6, 8), {"g": (0.5,)},
          "gaussian", auxiliaries=SIGMA),
    _case("bernoulli crossed, slopes by both", "y ~ x + (1 + x | g) + (1 + x | h)", crossed(10, 4, 2),
          {"g": (1.0, 0.3), "h": (0.4, 0.1)}, "bernoulli"),
    _case("sigma of thin levels", "y ~ x + (1 | g); sigma ~ g", groups(12, 4), {"g": (1.0,)}, "gaussian",
          auxiliaries=SIGMA),
]  # fmt: skip


@dataclass(frozen=True)
class Fitted:
    """How one command went: its status, what is wrong, what it advises, CPU seconds."""

    status: str
    checks: tuple[str, ...]
    tries: tuple[str, ...]
    seconds: float
    divergent: int = 0


def cpu_seconds() -> float:
    """Return what the processes that were waited for have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def fit(words: Sequence[str], out: Path) -> Fitted:
    """Run `hierfit fit`; a status of its own where that does not come to a run."""
    before = cpu_seconds()
    done = subprocess.run([*HIERFIT, "fit", *words, "--out", str(out), "--quiet"], capture_output=True, text=True)
    seconds = cpu_seconds() - before
    if not (out / "run.json").exists():
        return Fitted(f"code {done.returncode}", (done.stderr[-300:],), (), seconds)
    checks = json.loads((out / "run.json").read_text())["checks"]
    found = tuple(f"{one['check']} {one['value']}" for one in checks["findings"])
    return Fitted(checks["status"], found, tuple(one["flag"] for one in checks["tries"]), seconds, checks["divergent"])


def kind(flag: str, base: str) -> str:
    """Return what sort of advice a line is."""
    words = shlex.split(flag)
    if words[0] == "--prior":
        return "narrower prior of an sd" if words[1].startswith("sd(") else "prior of a coefficient"
    if words[0] == "--formula":
        if words[1].count("||") > base.count("||"):
            return "no correlations"
        return "fewer slopes" if words[1].count("(") == base.count("(") or "|" in base else "smaller model"
    return {"--draws": "more draws", "--sigma": "other sigma"}.get(words[0], flag)


def follow(case: Case, folder: Path, seed: int) -> Iterator[tuple[str, str, Fitted, Fitted]]:
    """Fit a case, and yield every remedy, its kind, the fit before and the one after."""
    design = case.design
    request = design.request(folder, seed)
    common = [str(request.data), "--formula", design.formula, "--family", design.family, "--seed", str(seed)]
    common += ["--chains", "2"]
    first = fit([*common, *case.options], folder / "run")
    print(f"\n{design.name}: {first.status}, {'; '.join(first.checks)}, {first.seconds:.1f} s", flush=True)
    if first.status not in ("warn", "fail"):
        return
    for at, flag in enumerate(dict.fromkeys([*first.tries, *ALWAYS])):
        after = fit(["--from", str(folder / "run"), *shlex.split(flag)], folder / f"try{at}")
        place = f"{at + 1}." if flag in first.tries else "  "
        print(f"  {place:3} {flag:64} {after.status:6} {after.divergent:5} divergent "
              f"{after.seconds / first.seconds:5.1f} x  {'; '.join(after.checks)[:90]}", flush=True)  # fmt: skip
        yield flag, kind(flag, design.formula), first, after


def main() -> None:
    """Print what every remedy did to every case, and the counts."""
    pattern, seed = (*sys.argv[1:], "")[0], 1
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for case in CASES:
        if not re.search(pattern, case.design.name):
            continue
        with tempfile.TemporaryDirectory() as folder:
            for _, sort, first, after in follow(case, Path(folder), seed):
                counts[sort]["tried"] += 1
                counts[sort]["cured"] += after.status == "ok"
                counts[sort]["helped"] += (first.status, after.status) == ("fail", "warn")
                counts[sort]["times"] += round(10 * after.seconds / first.seconds)
    print(f"\n{'remedy':30} tried cured helped  times the CPU")
    for sort, found in sorted(counts.items(), key=lambda item: -item[1]["cured"] / item[1]["tried"]):
        times = found["times"] / found["tried"] / 10
        print(f"{sort:30} {found['tried']:5} {found['cured']:5} {found['helped']:6} {times:8.1f}")


if __name__ == "__main__":
    main()
