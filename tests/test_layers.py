"""Imports go down only, and the library neither prints nor knows the command line."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "hierfit"
# From the ground up; a module may import from its own floor and those below.
FLOORS = [
    {"hierfit", "hierfit.errors", "hierfit.plain", "hierfit.visible"},
    {"hierfit.disk", "hierfit.interrupts"},
    {"hierfit.model"},
    {"hierfit.stan"},
    {"hierfit.marginal"},
    {"hierfit.sources"},
    {"hierfit.request"},
    {"hierfit.results"},
    {"hierfit.simulate"},
    {"hierfit.notes"},
    {"hierfit.rounds"},
    {"hierfit.manifest", "hierfit.record", "hierfit.runs", "hierfit.reading"},
    {"hierfit.finished"},
    {"hierfit.workflow"},
    {"hierfit.machine"},
    {"hierfit.cli.options", "hierfit.cli.page"},
    {"hierfit.cli.show"},
    {"hierfit.cli", "hierfit.__main__"},
]
# results may know what the sampler returns, nothing else of stan.
SAMPLER_ONLY = {"hierfit.stan.sampler"}
HEAVY = {"arviz", "cmdstanpy", "jinja2", "matplotlib", "pandas", "scipy", "xarray"}


def modules() -> list[str]:
    paths = sorted(PACKAGE.rglob("*.py"))
    return [
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__") for path in paths
    ]


def tree(module: str) -> ast.Module:
    path = PACKAGE.parent / Path(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(path.read_text())


def imported(nodes: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(nodes):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, "relative imports hide the floor"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return names


def floor(name: str) -> int | None:
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        for number, members in enumerate(FLOORS):
            if ".".join(parts[:length]) in members:
                return number
    return None


def test_every_module_has_a_floor() -> None:
    assert [module for module in modules() if floor(module) is None] == []
    assert len(modules()) > 20


@pytest.mark.parametrize("module", modules())
def test_imports_go_down(module: str) -> None:
    own = floor(module)
    assert own is not None
    above = {name for name in imported(tree(module)) if (floor(name) or 0) > own}
    assert above == set()


@pytest.mark.parametrize("module", [name for name in modules() if name.startswith("hierfit.results")])
def test_results_know_of_stan_only_what_the_sampler_returns(module: str) -> None:
    stan = {name for name in imported(tree(module)) if name.startswith("hierfit.stan")}
    assert {name for name in stan if not any(name.startswith(allowed) for allowed in SAMPLER_ONLY)} == set()


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
