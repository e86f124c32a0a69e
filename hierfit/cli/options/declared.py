"""Options declared once, as fields of frozen dataclasses -> the parameters of a Typer command.

A field `chains: Annotated[int, typer.Option(min=1)] = 4` is an option, or an argument, of every command that takes its
dataclass or one that inherits from it, in the order of the fields. The command is a function of one value.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import wraps
from typing import Any, TypeVar, get_type_hints

import typer

from hierfit.allocation import keep_freed
from hierfit.cli.page import meanwhile


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of a command.

    Attributes:
        command: its name.
        typed: field whose option stands on the command line -> how that is called in a sentence: `--until-ess`.
    """

    command: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)

    def said(self, *names: str) -> list[str]:
        """Return those of the options that stand on the command line, as they are called in a sentence."""
        return [self.typed[name] for name in names if name in self.typed]

    def said_beside(self, *names: str) -> list[str]:
        """Return the options that stand on the command line beside these."""
        return self.said(*(name for name in self.typed if name not in names))

    def changes(self, *names: str) -> dict[str, Any]:
        """Return the values of those of the options that stand on the command line, by the names of their fields."""
        return {name: getattr(self, name) for name in names if name in self.typed}


_OWN = {part.name for part in fields(Options)}
Taken = TypeVar("Taken", bound=Options)


def takes_options(command: Callable[[Taken], None]) -> Callable[..., None]:
    """Return the command as a function of single parameters, which Typer makes options of."""
    (kind,) = (hint for name, hint in get_type_hints(command).items() if name != "return")
    hints = get_type_hints(kind, include_extras=True)
    parameters = [inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)]
    for part in fields(kind):
        if part.name not in _OWN:
            default = inspect.Parameter.empty if part.default is MISSING else part.default
            parameters.append(
                inspect.Parameter(
                    part.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hints[part.name]
                )
            )

    @wraps(command)
    def run(context: typer.Context, **values: Any) -> None:
        options = kind(**values, command=context.info_name, typed=_typed(context))
        read = values.get("runs") or [values.get("run")]
        if read[0] is not None:
            keep_freed()
            if not values.get("quiet"):
                meanwhile(f"Reading  {' '.join(map(str, read))}")
        command(options)

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _typed(context: typer.Context) -> dict[str, str]:
    found = {}
    for parameter in context.command.params:
        source, spelled = context.get_parameter_source(parameter.name or ""), parameter.opts[0]
        if source is not None and source.name == "COMMANDLINE":
            found[parameter.name or ""] = spelled if spelled.startswith("-") else f"a {spelled}"
    return found
