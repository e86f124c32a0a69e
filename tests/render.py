"""`python -m tests.render` (`make rendered`) writes what is made from code: stan_models/rendered/ and docs/commands.md.

    python -m tests.render              the Stan programs and docs/commands.md
    python -m tests.render --outputs    also runs the `console` blocks of DOCUMENTS and writes down what they print

docs/commands.md says what `hierfit COMMAND --help` says, laid out here, so that it does not change with Typer's taste
for boxes. A `console` block holds commands after "$ " and what they print; those of one document run in one folder.
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

import typer

from hierfit.cli.app import app
from hierfit.stan.programs import write_rendered

ROOT = Path(__file__).parents[1]
COMMANDS = ROOT / "docs" / "commands.md"
# Documents whose console blocks are run, by `--outputs` and by tests/test_docs.py.
DOCUMENTS = (ROOT / "README.md", ROOT / "docs" / "tutorials.md", ROOT / "sample_data" / "README.md")
WIDTH, INDENT = 96, 28
HEAD = """# Commands

What `hierfit COMMAND --help` says. This page is written by `make rendered`; a test compares it with the program.
Options in square brackets have a default; "repeat" marks those that may be given more than once.
"""
_TYPES = {int: "NUMBER", float: "NUMBER", str: "TEXT", Path: "PATH"}
_EXAMPLE = re.compile(r"\[dim\](.*?)\[/dim\]", re.DOTALL)
_CONSOLE = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)


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
    written = f"{', '.join(parameter.opts)} {value}".strip() if is_option else parameter.metavar or _values(kind)
    said = f"{parameter.help} {_default_text(parameter, kind)}".strip()
    lines = textwrap.wrap(said, WIDTH - INDENT, break_long_words=False, break_on_hyphens=False)
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


def console_blocks(text: str) -> Iterator[list[tuple[str, str]]]:
    """For each console block of a document its (command, output) pairs; a command may go on after a backslash."""
    for block in _CONSOLE.findall(text):
        parts = re.split(r"^\$ ", block, flags=re.MULTILINE)
        assert not parts[0], f"a console block begins with a command: {block}"
        yield [_command_and_output(part) for part in parts[1:]]


def _command_and_output(part: str) -> tuple[str, str]:
    lines = part.splitlines(keepends=True)
    end = next(i for i, line in enumerate(lines) if not line.endswith("\\\n")) + 1
    return "".join(lines[:end]), "".join(lines[end:])


def run_console(command: str, folder: Path) -> str:
    """What a command prints on a terminal of 96 columns without colour: stdout and stderr, in order."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "NO_COLOR": "1", "COLUMNS": str(WIDTH), "PYTHONUNBUFFERED": "1"}
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert "error: a bug" not in done.stdout, done.stdout
    return done.stdout


def workplace(folder: Path) -> Path:
    """The folder, with the sample data in it: where the commands of the documents are run."""
    (folder / "sample_data").symlink_to(ROOT / "sample_data")
    return folder


def with_outputs(text: str, folder: Path) -> str:
    """The document with what its console commands print today; several runs of blank lines stay as they are."""

    def rerun(match: re.Match[str]) -> str:
        (pairs,) = console_blocks(f"```console\n{match[0]}```\n")
        return "".join(f"$ {command}{run_console(command, folder)}" for command, _ in pairs)

    return _CONSOLE.sub(rerun, text)


def main() -> None:
    write_rendered(ROOT / "stan_models" / "rendered")
    COMMANDS.write_text(commands_text())
    for document in DOCUMENTS if "--outputs" in sys.argv[1:] else ():
        with tempfile.TemporaryDirectory() as folder:
            document.write_text(with_outputs(document.read_text(), workplace(Path(folder))))


if __name__ == "__main__":
    main()
