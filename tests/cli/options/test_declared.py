"""Options declared as fields of dataclasses: what a command takes, what it is handed, what was typed."""

from dataclasses import dataclass, fields
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from hierfit.cli.app import app
from hierfit.cli.options.declared import Options, takes_options
from hierfit.cli.options.fit import FitOptions
from hierfit.cli.options.model import MODEL_FLAGS, ModelOptions, PriorsOptions
from hierfit.cli.options.repeat import SAMPLER
from hierfit.cli.options.simulate import BESIDE_FROM, OF_FORMULAS, OF_SCENARIOS, SimulateOptions
from hierfit.cli.results import SummarizeOptions

COMMANDS: dict[str, type[Options]] = {
    "fit": FitOptions,
    "priors": PriorsOptions,
    "simulate": SimulateOptions,
    "summarize": SummarizeOptions,
}


@dataclass(frozen=True, kw_only=True)
class First(Options):
    place: Annotated[str, typer.Argument(help="Where.")]
    number: Annotated[int, typer.Option("--number", "-n", min=1, help="How many.")] = 3


@dataclass(frozen=True, kw_only=True)
class Second(First):
    names: Annotated[list[str] | None, typer.Option("--name", help="Who; repeat.")] = None
    loud: Annotated[bool, typer.Option("--loud", help="Aloud.")] = False


def called(*arguments: str) -> tuple[Second | None, str]:
    """Return what the command was handed, and what was printed."""
    handed: list[Second] = []

    @takes_options
    def greet(options: Second) -> None:
        """Say hello."""
        handed.append(options)

    small = typer.Typer(add_completion=False)
    small.command()(greet)
    done = CliRunner().invoke(small, arguments, prog_name="greet")
    return (handed[0] if handed else None), done.output


def test_a_command_is_handed_one_value() -> None:
    options, _ = called("here", "-n", "5", "--name", "a", "--name", "b")
    assert options == Second(
        command="greet", typed=options.typed if options else {}, place="here", number=5, names=["a", "b"]
    )
    assert options.typed == {"place": "a place", "number": "--number", "names": "--name"}
    assert options.said("names", "loud", "number") == ["--name", "--number"]
    assert options.said_beside("number") == ["a place", "--name"]
    assert options.changes("number", "loud") == {"number": 5}


def test_what_is_not_typed_has_its_default() -> None:
    options, _ = called("here")
    assert options is not None
    assert (options.number, options.names, options.loud) == (3, None, False)
    assert options.typed == {"place": "a place"}


def test_options_stand_in_the_order_of_the_fields_those_inherited_first() -> None:
    _, shown = called("--help")
    assert "Say hello." in shown
    places = [shown.index(word) for word in ("--number", "--name", "--loud")]
    assert places == sorted(places)


def test_limits_and_what_is_required_hold() -> None:
    assert called("here", "--number", "0")[0] is None
    assert called()[0] is None


@pytest.mark.parametrize("name", COMMANDS)
def test_every_field_is_an_option_of_its_command(name: str) -> None:
    root: Any = typer.main.get_command(app)
    own = {part.name for part in fields(Options)}
    declared = [part.name for part in fields(COMMANDS[name]) if part.name not in own]
    assert [parameter.name for parameter in root.commands[name].params] == declared


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (ModelOptions, MODEL_FLAGS),
        (FitOptions, SAMPLER),
        (SimulateOptions, (*OF_SCENARIOS, *OF_FORMULAS, *BESIDE_FROM)),
    ],
)
def test_lists_of_options_name_fields(kind: type[Options], names: tuple[str, ...]) -> None:
    assert set(names) <= {part.name for part in fields(kind)}
