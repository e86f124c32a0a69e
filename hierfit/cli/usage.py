"""What Typer refuses of a command line -> UsageError in hierfit's words: what was typed, what is wanted, what to try.

`Command` and `Commands` are Typer's own, but for this: an option of one value that is given twice is refused, naming
both values, where Typer takes the last without a word; and a refusal is raised as `UsageError`, so that it looks like
every other error.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from hierfit.errors import UsageError, did_you_mean

Refusal: Any = typer.BadParameter.__mro__[1]  # what Typer raises for all that it refuses; it has no public name
# The probability of an interval may be meant as a percentage.
_MOST_PERCENT = 100


class Command(TyperCommand):
    """A command of hierfit."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line of a command.

        Raises:
            UsageError: it cannot be read, or an option of one value is given twice.
        """
        typed = list(args)
        with _in_our_words(ctx, typed):
            _refuse_twice(self, ctx, typed)
            return super().parse_args(ctx, args)


class SignedCommand(Command):
    """A command whose arguments may begin with a minus: what is no option of its is one of them, `-ses > 0`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line of a command.

        Raises:
            UsageError: it cannot be read, or an option of one value is given twice.
        """
        known = {name for option in self.get_params(ctx) for name in option.opts}
        # A word that begins with a blank is no option to Typer.
        return super().parse_args(ctx, [f" {word}" if _is_signed(word, known) else word for word in args])


def _is_signed(word: str, known: Collection[str]) -> bool:
    """Whether a word begins with a minus, and is neither an option nor several of one letter."""
    if len(word) < 2 or word[0] != "-" or word[1] == "-":
        return False
    return any(f"-{letter}" not in known for letter in word[1:])


class Commands(TyperGroup):
    """All commands of hierfit."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read what stands before the command's name.

        Raises:
            UsageError: it cannot be read.
        """
        with _in_our_words(ctx, list(args)):
            return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command.

        Raises:
            UsageError: there is none of that name.
        """
        name = args[0]
        if self.get_command(ctx, name) is None:
            known = self.list_commands(ctx)
            raise UsageError(f"there is no command '{name}'.{did_you_mean(name, known)}", hint=_choices(known))
        return super().resolve_command(ctx, args)


@contextmanager
def _in_our_words(ctx: typer.Context, typed: Sequence[str]) -> Iterator[None]:
    try:
        yield
    except Refusal as refusal:
        if not typed and ctx.command.no_args_is_help:  # Typer shows the help
            raise
        raise _translated(refusal, ctx, typed) from None


def _translated(refusal: Any, ctx: typer.Context, typed: Sequence[str]) -> UsageError:
    """Return the refusal in hierfit's words; Typer's own where it is of a kind that has none here."""
    command = "hierfit" if ctx.parent is None else f"hierfit {ctx.info_name}"
    see = f"{command} --help lists what there is"
    unknown = getattr(refusal, "option_name", None)
    if unknown is not None:
        known = {name: option for option in ctx.command.params for name in option.opts if name.startswith("-")}
        if unknown in known:
            return UsageError(f"{unknown} needs a value.", hint=f"{unknown} {known[unknown].metavar or 'VALUE'}")
        return UsageError(f"there is no option {unknown}.{did_you_mean(unknown, known)}", hint=see)
    option = getattr(refusal, "param", None)
    if option is not None:
        given = _values(option, typed)
        if not given:
            return UsageError(f"{command} needs a {option.metavar or option.name}.", hint=f"{command} --help")
        return _of_value(option, given[-1])
    if extra := _extra(refusal):
        quote = "put quotes around values with blanks; options of several values are repeated"
        return UsageError(f"'{extra}' stands where no further word is expected.", hint=quote)
    return UsageError(refusal.format_message(), hint=see)


def _of_value(option: Any, value: str) -> UsageError:
    """Return what is wrong with the value of an option."""
    name, kind = option.opts[0], option.type_descriptor
    if kind.is_choice:
        known = [str(choice.value) for choice in kind.choices]
        return UsageError(
            f"{name} {value}: there is none of that name.{did_you_mean(value, known)}", hint=_choices(known)
        )
    whole = kind.annotation is int or "int" in str(kind.annotation)
    number = _number(value)
    if number is None or (whole and not number.is_integer()):
        wanted = "a whole number" if whole else "a number"
        return UsageError(f"{name} {value}: {wanted} is wanted.", hint=f"{name} {option.metavar or wanted}")
    least, most = kind.parameter_info.min, kind.parameter_info.max
    between = f"at least {least}" if most is None else f"from {least} to {most}"
    share = number / _MOST_PERCENT
    is_percent = most is not None and most < 1 < number and least <= share <= most
    return UsageError(f"{name} {value}: it must be {between}.", hint=f"{name} {share:g}" if is_percent else None)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _choices(known: Sequence[str]) -> str:
    return f"choose {', '.join(known[:-1])} or {known[-1]}"


def _extra(refusal: Any) -> str:
    """Return the words that are too many, which Typer's message has in brackets."""
    message = str(refusal.message)
    return message[message.index("(", message.index("(s)") + 3) + 1 : -1] if "(s) (" in message else ""


def _refuse_twice(command: TyperCommand, ctx: typer.Context, typed: Sequence[str]) -> None:
    """Refuse an option of one value that is given twice; a switch may be repeated."""
    *_, order = command.make_parser(ctx).parse_args(args=list(typed))
    for option in order:
        if order.count(option) > 1 and not option.multiple and not getattr(option, "is_flag", False):
            values = " and ".join(f"'{value}'" for value in _values(option, typed))
            raise UsageError(f"{option.opts[0]} takes one value, but is given {values}.", hint="leave all but one out")


def _values(option: Any, typed: Sequence[str]) -> list[str]:
    """Return the values of an option, in the order in which they were typed."""
    words = list(typed[: typed.index("--")] if "--" in typed else typed)
    values = []
    for word, following in zip(words, [*words[1:], ""], strict=False):
        name, joined, value = word.partition("=")
        if name in option.opts:
            values.append(value if joined else following)
    return values
