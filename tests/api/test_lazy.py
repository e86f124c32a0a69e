"""`import hierfit` costs next to nothing, and has what it lists."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import hierfit
from hierfit import errors
from tests.cli.test_startup import HEAVY

STUB = Path(hierfit.__file__).with_suffix(".pyi")
PROGRAM = f"""
import sys, time
before = set(sys.modules)
start = time.perf_counter()
import hierfit
print(time.perf_counter() - start)
dir(hierfit), hierfit.__all__, hierfit.__version__, hierfit.HierfitError, hierfit.UsageError
print(*sorted(({HEAVY} | {{"typer", "rich"}}) & set(sys.modules)))
hierfit.fit, hierfit.load, hierfit.Run, hierfit.simulate
print(*sorted(({HEAVY} - {{"numpy"}}) & set(sys.modules)))
"""


def test_importing_it_loads_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True)
    seconds, imported, named = done.stdout.split("\n")[:3]
    assert float(seconds) < 0.1
    assert (imported, named) == ("", "")


def test_it_has_what_it_lists() -> None:
    for name in hierfit.__all__:
        assert getattr(hierfit, name) is not None
    assert set(hierfit.__all__) <= set(dir(hierfit))


def test_the_stub_names_the_same() -> None:
    nodes = ast.parse(STUB.read_text()).body
    imported = {alias.asname for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert imported == set(hierfit.__all__) - {"__version__"}


def test_all_errors_are_there() -> None:
    kinds = {name: each for name, each in vars(errors).items() if isinstance(each, type)}
    family = {name for name, each in kinds.items() if issubclass(each, errors.HierfitError)}
    assert len(family) > 5 and family <= set(hierfit.__all__)


def test_what_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'hierfit' has no attribute 'fti'"):
        hierfit.fti  # type: ignore[attr-defined]  # noqa: B018


def test_simulate_is_a_package_and_a_function() -> None:
    from hierfit.simulate.files import DATA_FILE

    assert DATA_FILE == "data.csv" and callable(hierfit.simulate)
