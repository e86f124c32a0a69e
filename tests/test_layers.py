"""Imports go down only and in no circle, and the library neither prints nor knows the command line."""

import ast

import pytest

from tests.floors import CONTRIBUTING, circle, floor, floors_page, imported, modules, tree

HEAVY = {"arviz", "cmdstanpy", "jinja2", "matplotlib", "pandas", "scipy", "xarray"}


def test_every_module_has_a_floor() -> None:
    assert [module for module in modules() if floor(module) is None] == []
    assert len(modules()) > 20


@pytest.mark.parametrize("module", modules())
def test_imports_go_down(module: str) -> None:
    own = floor(module)
    assert own is not None
    above = {name for name in imported(tree(module)) if (floor(name) or 0) > own}
    assert above == set()


def test_no_modules_import_one_another_in_a_circle() -> None:
    assert circle() == []


def test_a_circle_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"a": "import b", "b": "def f():\n    from c import g", "c": "from a import h", "d": "import a"}
    monkeypatch.setattr("tests.floors.modules", lambda: tuple(known))
    monkeypatch.setattr("tests.floors.tree", lambda name: ast.parse(known[name]))
    found = circle()
    assert found[0] == found[-1] and set(found) == {"a", "b", "c"}
    del known["c"]
    assert circle() == []


def test_the_floor_plan_is_that_of_the_code() -> None:
    assert CONTRIBUTING.read_text() == floors_page(), "run `make rendered`"


@pytest.mark.parametrize("module", [name for name in modules() if not name.startswith("hierfit.engines")])
def test_an_engine_is_met_as_a_value(module: str) -> None:
    """What is in the rooms of the engines is their own: others get an Engine of `engines.choice`."""
    rooms = tuple(f"hierfit.engines.{engine}." for engine in ("full", "collapsed", "marginal"))
    assert {name for name in imported(tree(module)) if f"{name}.".startswith(rooms)} == set()


@pytest.mark.parametrize("module", [name for name in modules() if name.startswith("hierfit.posterior")])
def test_results_know_nothing_of_stan(module: str) -> None:
    assert {name for name in imported(tree(module)) if name.startswith("hierfit.stan")} == set()


@pytest.mark.parametrize(
    "module", [name for name in modules() if not name.startswith(("hierfit.cli", "hierfit.__main"))]
)
def test_the_library_is_silent(module: str) -> None:
    assert not {name for name in imported(tree(module)) if name.split(".")[0] in {"typer", "rich"}}
    calls = {
        node.func.id
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not calls & {"print", "exit"}


@pytest.mark.parametrize("module", modules())
def test_heavy_packages_are_imported_inside_functions(module: str) -> None:
    checked_only = [node for node in tree(module).body if isinstance(node, ast.If)]
    top = [node for node in tree(module).body if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert all(ast.unparse(node.test) == "TYPE_CHECKING" for node in checked_only)
    names = set().union(*(imported(ast.Module([node], [])) for node in top)) if top else set()
    assert {name for name in names if name.split(".")[0] in HEAVY} == set()


@pytest.mark.parametrize("module", [name for name in modules() if name.startswith("hierfit.cli")])
def test_only_the_page_writes_to_the_screen(module: str) -> None:
    """What others wrote is shown escaped there, in one place; the bar is drawn by rich, its texts are ready."""
    writes = {"print", "typer.echo", "typer.secho", "sys.stdout.write", "sys.stderr.write"}
    calls = {ast.unparse(node.func) for node in ast.walk(tree(module)) if isinstance(node, ast.Call)}
    assert module == "hierfit.cli.page" or not calls & writes
