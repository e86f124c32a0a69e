"""`python -m tests.render` (`make rendered`) writes what is made from code.

    python -m tests.render              the Stan programs, docs/commands.md, tables of docs/families.md, CONTRIBUTING.md
    python -m tests.render --outputs    also the outputs and numbers that DOCUMENTS and WALKS quote, by running their
                                        commands; of these pages alone where some are named after it

docs/commands.md says what `hierfit COMMAND --help` says, laid out here, so that it does not change with Typer's taste
for boxes. Commands stand in `sh` blocks, or after "$ " in `console` blocks, where what they print follows; those of one
document run in one folder. A line `...` among the output stands for lines left out: what is around it is found again by
its words. `<!-- numbers: RUN -->` stands above a table whose last column holds the posterior mean (sd)
of that run, a parameter or `school[1]`, a level's deviation, in each row.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import textwrap
import typing
from collections.abc import Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import typer

from hierfit import workflow
from hierfit.cli.app import app
from hierfit.model.families import FAMILIES, Auxiliary
from hierfit.posterior.convergence import assess
from hierfit.posterior.digits import format_row
from hierfit.runs import finished
from hierfit.stan.programs import write_rendered
from tests.floors import CONTRIBUTING, floors_page

ROOT = Path(__file__).parents[1]
COMMANDS, FAMILIES_PAGE = ROOT / "docs" / "commands.md", ROOT / "docs" / "families.md"
# Documents whose console blocks are run, by `--outputs` and by tests/test_docs.py.
LAPLACE = ROOT / "docs" / "laplace.md"
DOCUMENTS = (ROOT / "README.md", ROOT / "docs" / "tutorials.md", ROOT / "sample_data" / "README.md", LAPLACE)
# From raw data to a paper: they quote the lines that matter of what their commands print.
WALKS = tuple(sorted((ROOT / "docs").glob("walk-*.md")))
WIDTH, INDENT = 96, 28
HEAD = """# Commands

What `hierfit COMMAND --help` says. This page is written by `make rendered`; a test compares it with the program.
Square brackets hold defaults. `hierfit --version` prints the version; `hierfit --install-completion` makes the shell
complete commands and options.
"""
_TYPES = {int: "NUMBER", float: "NUMBER", str: "TEXT", Path: "PATH"}
_EXAMPLE = re.compile(r"\[dim\](.*?)\[/dim\]", re.DOTALL)
_BLOCK = re.compile(r"^```(sh|console)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_NUMBERS = re.compile(r"(?<=^<!-- numbers: )(\S+) -->\n\n(.*?)(?=\n\n|\Z)", re.DOTALL | re.MULTILINE)
# What is said when a program is not built yet, or another process is building it.
_BUILDING = re.compile(r"^(Compiling|Waiting) .*\n", re.MULTILINE)


def commands_text() -> str:
    """The whole of docs/commands.md."""
    group: Any = typer.main.get_command(app)
    return "\n".join([HEAD, *(_command_text(name, command) for name, command in group.commands.items())])


def _command_text(name: str, command: Any) -> str:
    hints = typing.get_type_hints(command.callback, include_extras=True)
    examples = [re.sub(r" {2,}", "\n", example) for example in _EXAMPLE.findall(command.help)]
    panels: dict[str, list[str]] = {}
    for parameter in command.params:
        is_option = parameter.opts[0].startswith("-")
        panel = (parameter.rich_help_panel or "Options") if is_option else "Arguments"
        panels.setdefault(panel, []).append(_parameter_text(parameter, hints[parameter.name]))
    parts = [f"## hierfit {name}", _EXAMPLE.sub("", command.help).strip(), _block("sh", examples)]
    parts += [f"{panel}:\n\n{_block('text', lines)}" for panel, lines in panels.items()]
    return "\n\n".join(parts) + "\n"


def _block(language: str, lines: Sequence[str]) -> str:
    return "\n".join([f"```{language}", *lines, "```"])


def _parameter_text(parameter: Any, hint: Any) -> str:
    is_option = parameter.opts[0].startswith("-")
    kind = _kind(hint)
    value = "" if kind is bool else parameter.metavar or _values(kind)
    written = (
        f"{', '.join(parameter.opts)} {value}".strip() if is_option else parameter.metavar or parameter.name.upper()
    )
    said = f"{parameter.help} {_default_text(parameter, kind)}".strip()
    lines = textwrap.wrap(said, WIDTH - INDENT, break_long_words=False, break_on_hyphens=False)
    written = written.strip()
    if len(written) + 2 > INDENT - 2:
        return "\n".join([written, *(" " * INDENT + line for line in lines)])
    return "\n".join(f"{written if not i else '':<{INDENT}}{line}" for i, line in enumerate(lines))


def _kind(hint: Any) -> type:
    """The type of one value: int for Annotated[int | None, ...], str for Annotated[list[str] | None, ...]."""
    while typing.get_args(hint):
        hint = typing.get_args(hint)[0]
    assert isinstance(hint, type)
    return hint


def _values(kind: type) -> str:
    return "|".join(member.value for member in kind) if issubclass(kind, Enum) else _TYPES[kind]


def _default_text(parameter: Any, kind: type) -> str:
    if kind is bool or not parameter.show_default:
        return ""
    shown = parameter.show_default if isinstance(parameter.show_default, str) else parameter.default
    return "" if shown is None else f"[{getattr(shown, 'value', shown)}]"


_TABLE = re.compile(r"(?<=^<!-- families -->\n).*(?=^<!-- /families -->$)", re.DOTALL | re.MULTILINE)


def families_page() -> str:
    """docs/families.md with its table as the families are today."""
    header = ["| family | outcome | links | auxiliary parameters, default priors |", "|---|---|---|---|"]
    rows = [
        f"| `{family.name}` | {family.support.value} | {', '.join(family.links)} | "
        f"{'; '.join(map(_auxiliary_text, family.auxiliaries))} |".replace("|  |", "| |")
        for family in FAMILIES.values()
    ]
    return _TABLE.sub("\n" + "\n".join([*header, *rows]) + "\n\n", FAMILIES_PAGE.read_text())


def _auxiliary_text(auxiliary: Auxiliary) -> str:
    """`sigma` ~ exponential(1 / s_y) (rstanarm: 1 / sd(y))."""
    one, two = (auxiliary.prior(scale) for scale in (1.0, 2.0))
    numbers = [
        f"{a:g} / s_y" if b == a / 2 != 0 else f"{a:g} s_y" if b == 2 * a != 0 else f"{a:g}"
        for a, b in zip(one.arguments, two.arguments, strict=True)
    ]
    return f"`{auxiliary.name}` ~ {one.distribution}({', '.join(numbers)}) ({one.source})"


def commands_in(text: str) -> Iterator[tuple[str, str | None]]:
    """The commands of a document with their quoted outputs; a command may go on after a backslash."""
    for language, block in _BLOCK.findall(text):
        if language == "console":
            yield from _console_pairs(block)
        else:
            yield from ((command, None) for command in re.split(r"(?<!\\)\n", block.strip("\n")))


def _console_pairs(block: str) -> Iterator[tuple[str, str]]:
    first, *parts = re.split(r"^\$ ", block, flags=re.MULTILINE)
    assert not first, f"a console block begins with a command: {block}"
    for part in parts:
        lines = part.splitlines(keepends=True)
        end = next(i for i, line in enumerate(lines) if not line.endswith("\\\n")) + 1
        yield "".join(lines[:end]).rstrip("\n"), "".join(lines[end:])


def run_command(command: str, folder: Path, refused: bool = False) -> str:
    """What a command prints in a terminal of 96 columns without colour: stdout and stderr, in order."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "NO_COLOR": "1", "COLUMNS": str(WIDTH), "PYTHONUNBUFFERED": "1"}
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert ("error:" in done.stdout) == refused, f"{command}\n{done.stdout}"
    return _BUILDING.sub("", done.stdout)


def skeleton(output: str) -> list[str]:
    """The words of an output, numbers left out: what no draw and no machine should change."""
    seconds = re.sub(r"· [\d.,]+ (s|min|h)\b", "· # s", output)
    return re.sub(r"[<>]?-?\d[\d,]*\.?\d*(e[+-]\d+)?", "#", seconds).split()


def run_again(command: str, quoted: str, folder: Path) -> str:
    """What a command prints now: of an output quoted in part, with lines `...`, the lines with the same words."""
    printed = run_command(command, folder, refused=quoted.startswith("error:"))
    parts = re.split(r"^\.\.\.\n", quoted, flags=re.MULTILINE)
    if len(parts) == 1:
        return printed
    lines, begin, found = printed.splitlines(keepends=True), 0, []
    for part in parts:
        begin, end = _place(part, lines, begin, command)
        found.append("".join(lines[begin:end]))
        begin = end
    return "...\n".join(found)


def _place(part: str, lines: Sequence[str], begin: int, command: str) -> tuple[int, int]:
    """The first and last but one of the lines that hold the words of a part, wherever they are broken into lines.

    Of several places the one that has most numbers in common: lines of `probability of 1` and `of 5` have equal words.
    """
    wanted = skeleton(part)
    if not wanted:
        return begin, begin
    places = []
    for first in range(begin, len(lines)):
        for end in range(first + 1, len(lines) + 1):
            words = skeleton("".join(lines[first:end]))
            if words == wanted and lines[first].strip():
                places.append((first, end))
                break
            if len(words) > len(wanted):
                break
    assert places, f"{command}\ndoes not print\n{part}\nbut\n{''.join(lines)}"
    quoted = part.split()
    return max(places, key=lambda at: sum(map(str.__eq__, "".join(lines[at[0] : at[1]]).split(), quoted)))


def workplace(folder: Path) -> Path:
    """The folder, with the sample data in it: where the commands of the documents are run."""
    (folder / "sample_data").symlink_to(ROOT / "sample_data")
    return folder


def with_outputs(text: str, folder: Path) -> str:
    """The document with what its commands give today; `folder` is where they are run."""

    def rerun(block: re.Match[str]) -> str:
        parts = []
        for command, quoted in commands_in(block[0]):
            if quoted is not None:
                parts.append(f"$ {command}\n{run_again(command, quoted, folder)}")
            elif command.startswith("hierfit "):
                run_command(command, folder)
        return block[0] if block[1] == "sh" else f"```console\n{''.join(parts)}```"

    return _NUMBERS.sub(lambda table: _with_numbers(table, folder), _BLOCK.sub(rerun, text))


def _with_numbers(table: re.Match[str], folder: Path) -> str:
    done = finished.load(folder / table[1])
    header, rule, *rows = table[2].splitlines()
    filled = [f"{row.rpartition('|')[0].rpartition('|')[0]}| {_moments(done, row)} |" for row in rows]
    return "\n".join([f"{table[1]} -->", "", header, rule, *filled])


def _moments(done: workflow.Fit, row: str) -> str:
    values = draws_of(done, parameter_of(row, done))
    mcse = float(assess(values[:, :, None]).mcse_mean[0])
    mean, sd, *_ = format_row(values.mean(), values.std(ddof=1), *np.quantile(values, (0.025, 0.975)), mcse)
    return f"{mean} ({sd})"


def parameter_of(row: str, done: workflow.Fit) -> str:
    """The parameter that a row of a table is about: its first cell, or what that begins with."""
    cell = row.split("|")[1].strip(" `")
    names = [parameter.name for parameter in done.draws.parameters if cell.startswith(parameter.name)]
    return max(names, key=len) if names else cell


def draws_of(done: workflow.Fit, name: str) -> Any:
    """The draws [chains, draws] of a parameter, or of the first deviation of a level written `school[1]`."""
    level = re.fullmatch(r"(\w+)\[(\w+)\]", name)
    if level is None:
        return done.draws.of(name)
    return done.draws.effects[level[1]][:, :, done.design.group(level[1]).labels.index(level[2]), 0]


def main() -> None:
    """Write it all."""
    write_rendered(ROOT / "stan_models" / "rendered")
    COMMANDS.write_text(commands_text())
    FAMILIES_PAGE.write_text(families_page())
    CONTRIBUTING.write_text(floors_page())
    named = [Path(name).resolve() for name in sys.argv[2:]]
    for document in named or (*DOCUMENTS, *WALKS) if "--outputs" in sys.argv[1:] else ():
        with tempfile.TemporaryDirectory() as folder:
            document.write_text(with_outputs(document.read_text(), workplace(Path(folder))))


if __name__ == "__main__":
    main()
