"""The floor plan: which module may import which, read from the code; `floors_page` writes it into CONTRIBUTING.md."""

import ast
import re
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE, CONTRIBUTING = ROOT / "hierfit", ROOT / "CONTRIBUTING.md"
# From the ground up; a module may import from its own floor and those below.
FLOORS = [
    ("hierfit.errors", "hierfit.plain", "hierfit.sampling", "hierfit.visible", "hierfit"),
    ("hierfit.disk", "hierfit.interrupts"),
    ("hierfit.data", "hierfit.model"),
    ("hierfit.design",),
    ("hierfit.stan",),
    ("hierfit.posterior",),
    ("hierfit.engines",),
    ("hierfit.simulate",),
    ("hierfit.notes",),
    ("hierfit.runs",),
    ("hierfit.told",),
    ("hierfit.report",),
    ("hierfit.workflow", "hierfit.asked"),
    ("hierfit.machine",),
    ("hierfit.cli.options", "hierfit.cli.page"),
    ("hierfit.cli.show",),
    ("hierfit.api",),
    ("hierfit.cli", "hierfit.__main__"),
]
_TABLE = re.compile(r"(?<=^<!-- floors -->\n).*(?=^<!-- /floors -->$)", re.DOTALL | re.MULTILINE)


@lru_cache
def modules() -> tuple[str, ...]:
    """Every module of the package."""
    paths = (path.relative_to(ROOT).with_suffix("").parts for path in sorted(PACKAGE.rglob("*.py")))
    return tuple(".".join(parts).removesuffix(".__init__") for parts in paths)


@lru_cache
def tree(module: str) -> ast.Module:
    """What a module consists of."""
    return ast.parse(_path(module).read_text())


def _path(module: str) -> Path:
    path = ROOT / Path(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def imported(nodes: ast.AST) -> set[str]:
    """What is imported somewhere: modules, and names in them."""
    names = set()
    for node in ast.walk(nodes):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, "relative imports hide the floor"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return names


def floor(name: str) -> int | None:
    """The number of the floor that a module, or a name in one, is on; None for what is none of ours."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        for number, members in enumerate(FLOORS):
            if ".".join(parts[:length]) in members:
                return number
    return None


def circle(among: tuple[str, ...] | None = None) -> list[str]:
    """A circle of modules that import one another, the first also the last; nothing where there is none.

    Imports inside functions count: they are there to save time, not to hide circles.
    """
    ours = set(among or modules())
    try:
        TopologicalSorter({module: _needed(module) & ours for module in ours}).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def _needed(module: str) -> set[str]:
    """The modules that one imports, packages for what they define themselves only."""
    found = set()
    for name in imported(tree(module)):
        parent = name.rpartition(".")[0]
        if name in modules():
            found |= set() if _only_leads_to_modules(tree(module), name) else {name}
        elif parent in modules():
            found.add(parent)
    return found - {module}


def _only_leads_to_modules(nodes: ast.AST, package: str) -> bool:
    """Whether `from package import ...` names modules of the package and nothing else, wherever it stands."""
    froms = [node for node in ast.walk(nodes) if isinstance(node, ast.ImportFrom) and node.module == package]
    named = {f"{package}.{alias.name}" for node in froms for alias in node.names}
    return bool(froms) and named <= set(modules())


def floors_page() -> str:
    """CONTRIBUTING.md with its floor plan as the code is today: what stands first in each docstring."""
    rows = [
        f"| {number} | {_shown(name)} | {_said(name)} |"
        for number, members in reversed(list(enumerate(FLOORS)))
        for name in members
        if name not in ("hierfit", "hierfit.__main__")
    ]
    page = CONTRIBUTING.read_text()
    assert _TABLE.search(page), "CONTRIBUTING.md has no place for the floor plan"
    return _TABLE.sub(lambda match: "\n".join(["| floor | module | what |", "|---|---|---|", *rows, ""]), page)


def _shown(module: str) -> str:
    path = ROOT / Path(*module.split("."))
    return f"`{path.relative_to(ROOT)}/`" if path.is_dir() else f"`{path.relative_to(ROOT)}.py`"


def _said(module: str) -> str:
    return (ast.get_docstring(tree(module)) or "").splitlines()[0].rstrip(".").replace("|", "\\|")
