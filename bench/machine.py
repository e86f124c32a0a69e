"""This machine and the versions on it, for the results' JSON."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("hierfit", "httpstan", "cmdstanpy", "arviz", "numpy", "pandas")
PEERS_IN_R = ("lme4", "glmmTMB", "ordinal", "brms", "rstanarm")
PEERS_IN_PYTHON = ("bambi", "nutpie", "numpyro", "polars")
_VERSIONS_IN_R = (
    f"known <- intersect(c({', '.join(map(repr, PEERS_IN_R))}), rownames(installed.packages())); "
    "cat(paste(known, sapply(known, function(name) as.character(packageVersion(name))), collapse = ', '))"
)
_VERSIONS_IN_PYTHON = (
    "from importlib.metadata import distributions; "
    "found = {one.metadata['Name'].lower(): one.version for one in distributions()}; "
    f"print(', '.join(name + ' ' + found[name] for name in {PEERS_IN_PYTHON} if name in found))"
)


def describe_machine() -> dict[str, Any]:
    """Return CPU, cores, memory, system and how busy the machine was when the benchmark began."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": _cpu(),
        "cores": os.cpu_count() or 1,
        "memory_bytes": memory_bytes(),
        "system": platform.platform(),
        "load_average": os.getloadavg()[0],
    }


def describe_versions() -> dict[str, str]:
    """Return the versions of Python, the packages that hierfit stands on, the checkout and the C++ compiler."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    answers = {
        "commit": _first_line(["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]),
        "compiler": _first_line([os.environ.get("CXX", "g++"), "--version"]),
        "R": _first_line(["Rscript", "--version"]),
        "packages in R": _first_line(["Rscript", "-e", _VERSIONS_IN_R]),
        "packages in HIERFIT_BENCH_PYTHON": _first_line(
            [os.environ.get("HIERFIT_BENCH_PYTHON") or sys.executable, "-c", _VERSIONS_IN_PYTHON]
        ),
    }
    return found | {name: answer for name, answer in answers.items() if answer}


def memory_bytes() -> int:
    """Return the memory of the machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def in_words(machine: Mapping[str, Any]) -> str:
    """Return one line about a machine."""
    memory = machine["memory_bytes"] / 2**30
    words = f"{machine['cpu']}, {machine['cores']} cores, {memory:.0f} GiB, {machine['system']}"
    return f"{words}; load average at the start {machine['load_average']:.1f}"


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _first_line(command: list[str]) -> str:
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (answer.stdout or answer.stderr).strip().partition("\n")[0] if answer.returncode == 0 else ""
