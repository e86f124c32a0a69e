"""`python -m bench`: read the options, measure, show tables, write JSON. See bench/README.md."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from bench import report, results, scaling
from bench.case import Case
from bench.cases import CASES, csv_of
from bench.comparators import COMPARATORS
from bench.comparators.contract import Comparator, Sampling
from bench.compare import standings
from bench.machine import describe_machine, describe_versions
from bench.measure import Measurement, Settings, measure
from bench.results import Results
from bench.targets import Verdict, verdicts

QUICK = Settings(runs=1, cap=120.0, sampling=Sampling(warmup=300, draws=300))
QUICK_ROWS = 10_000
# In --quick and scaling, where nothing else is asked for: those that need nothing but hierfit, and the estimates of R.
FEW = ("hierfit", "tutorial", "brms-style", "lme4", "lme4-nagq0", "glmmTMB")
Thing = TypeVar("Thing")


def parser() -> argparse.ArgumentParser:
    """Return the options."""
    options = argparse.ArgumentParser(prog="python -m bench", description="Time hierfit against its peers.")
    options.add_argument("what", nargs="?", default="compare", choices=["compare", "scaling", "list", "show"])
    options.add_argument("file", nargs="?", type=Path, help="results to show again (show)")
    options.add_argument("--case", action="append", help="a case, or several with commas; list shows them")
    options.add_argument("--comparators", action="append", help="who takes part, with commas; list shows them")
    options.add_argument("--runs", type=int, help="runs of each, of which medians are taken (3; quick and scaling: 1)")
    options.add_argument("--cap", type=float, help="seconds after which a run is stopped (600; quick and scaling: 120)")
    options.add_argument("--draws", type=int, help="draws of a chain (1000; quick: 300)")
    options.add_argument("--warmup", type=int, help="iterations of a chain that adapt (1000; quick: 300)")
    options.add_argument("--quick", action="store_true", help="small cases, few draws, one run: a minute or two")
    options.add_argument("--patient", action="store_true", help="start even what takes hours, up to the cap")
    options.add_argument("--family", default="gaussian", choices=scaling.FAMILIES, help="of scaling (gaussian)")
    options.add_argument("--largest", type=int, default=1_000_000, help="most rows of scaling (1000000)")
    options.add_argument("--out", help="file for the results (bench/results/<date>.json), - for the screen")
    options.add_argument("--markdown", action="store_true", help="tables in Markdown, on a terminal too")
    return options


def main(words: Sequence[str] | None = None) -> int:
    """Do what the words say; the exit status."""
    options = parser().parse_args(words)
    if options.what == "list":
        _list()
    elif options.what == "show":
        if options.file is None:
            parser().error("show needs a file of results")
        _show(results.read_results(options.file), options)
    elif options.what == "scaling":
        _scale(options)
    else:
        _compare(options)
    return 0


def settings_of(options: argparse.Namespace) -> Settings:
    """Return how the options want it run."""
    quick = options.quick or options.what == "scaling"
    usual = QUICK if quick else Settings()
    sampling = QUICK.sampling if options.quick else Settings().sampling
    return Settings(
        options.runs or usual.runs,
        options.cap or usual.cap,
        Sampling(
            sampling.chains, options.warmup or sampling.warmup, options.draws or sampling.draws, os.cpu_count() or 1
        ),
        options.patient,
    )


def chosen_cases(options: argparse.Namespace) -> list[Case]:
    """Return the cases that are asked for; else all that are not costly, or the small ones."""
    if options.case:
        return _chosen(options.case, CASES, "case")
    return [case for case in CASES.values() if not (case.costly or (options.quick and case.rows > QUICK_ROWS))]


def chosen_comparators(options: argparse.Namespace) -> list[Comparator]:
    """Return who takes part."""
    if options.comparators:
        return _chosen(options.comparators, COMPARATORS, "comparator")
    few = options.quick or options.what == "scaling"
    return [comparator for name, comparator in COMPARATORS.items() if name in FEW or not few]


def _chosen(words: Sequence[str], known: Mapping[str, Thing], what: str) -> list[Thing]:
    names = [name.strip() for word in words for name in word.split(",") if name.strip()]
    unknown = [name for name in names if name not in known]
    if unknown:
        parser().error(f"there is no {what} '{unknown[0]}'; there are: {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names)]


def _compare(options: argparse.Namespace) -> None:
    settings = settings_of(options)
    found = Results(describe_machine(), describe_versions(), settings, {}, [])
    for case in chosen_cases(options):
        measurements = measure(case, chosen_comparators(options), settings, _say)
        found = _saved(found, case, measurements, options)
    _show(found, options)


def _scale(options: argparse.Namespace) -> None:
    settings = settings_of(options)
    found = Results(describe_machine(), describe_versions(), settings, {}, [])
    drawn = scaling.sweeps(options.family, options.largest)
    for sweep in drawn:
        measurements = list(scaling.measure_sweep(sweep, chosen_comparators(options), settings, _say))
        for case in sweep.cases.values():
            found = _saved(found, case, (one for one in measurements if one.case == case.name), options)
    _show(found, options)
    picture = _path(found, options).with_suffix(".png") if options.out != "-" else Path("scaling.png")
    scaling.draw_scaling(found, options.family, drawn, picture)
    _say(f"picture: {picture}")


def _saved(found: Results, case: Case, made: Iterator[Measurement], options: argparse.Namespace) -> Results:
    """Add a case and write everything so far, so that an interrupt loses no more than the case it is in."""
    measurements = [*found.measurements, *made]
    cases = {**found.cases, case.name: results.describe_case(case, csv_of(case).stat().st_size)}
    found = Results(found.machine, found.versions, found.settings, cases, measurements)
    if options.out != "-":
        results.write_results(found, _path(found, options))
    return found


def _path(found: Results, options: argparse.Namespace) -> Path:
    if options.out:
        return Path(options.out)
    if not hasattr(options, "chosen_path"):
        kind = f"scaling-{options.family}" if options.what == "scaling" else options.what
        options.chosen_path = results.new_path(kind, datetime.now())
    path: Path = options.chosen_path
    return path


def _show(found: Results, options: argparse.Namespace) -> None:
    if options.out == "-" and options.what != "show":
        sys.stdout.write(results.as_text(found))
        return
    on_terminal = sys.stdout.isatty() and not options.markdown
    print(report.preamble(found))
    for grid in report.grids(found):
        report.show(grid, print, on_terminal=on_terminal)
    judged = list(_verdicts(found))
    if judged:
        report.show(report.target_grid(judged), print, on_terminal=on_terminal)
    print(report.LEGEND)
    if options.what != "show":
        print(f"Results: {_path(found, options)}")


def _verdicts(found: Results) -> Iterator[Verdict]:
    for name, case in found.cases.items():
        if name in CASES:
            standing = standings(found.of(name))
            yield from verdicts(CASES[name], standing, case["csv_bytes"], found.settings.sampling)


def _list() -> None:
    print("Cases (those marked * only when named)")
    for case in CASES.values():
        print(f"  {case.name + ('*' if case.costly else ''):19}{case.title}: {case.shape}\n{'':21}{case.formula}")
    print("\nComparators")
    for name, comparator in COMPARATORS.items():
        print(f"  {name:19}{comparator.missing() or 'installed'}")


def _say(text: Any) -> None:
    print(f"{datetime.now():%H:%M:%S} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("Stopped. The cases that were finished are in the results; python -m bench show FILE shows them.")
