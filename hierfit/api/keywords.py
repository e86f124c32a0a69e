"""The options of a command -> keyword arguments with the same names, ranges and defaults, and back.

A command declares its options once, as fields of a dataclass (`cli.options.declared`). `Keywords` is the same as Python
says it: `--until-ess 400` is until_ess=400, a repeatable option takes a text or several, and one whose texts are
NAME=VALUE takes a dict too: reference={"sector": "Public"}, levels={"dose": ["low", "high"]}.
"""

from __future__ import annotations

import inspect
import math
import re
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from enum import StrEnum
from functools import cached_property
from numbers import Integral, Real
from pathlib import Path
from typing import Annotated, Any, Generic, ParamSpec, TypeVar, get_args, get_origin, get_type_hints

from hierfit.cli.options.declared import Options
from hierfit.design.levels import levels_text
from hierfit.errors import UsageError, did_you_mean

Asked = TypeVar("Asked", bound=Options)
P = ParamSpec("P")
T = TypeVar("T")
_OWN = {part.name for part in fields(Options)}
_COMMAND_LINE = {"run", "output", "quiet", "exit_zero"}  # what makes no sense in Python
_NAMES = {"family", "link", "parameter", "kind"}  # what stands after these is a name, and no word of the sentence


@dataclass(frozen=True)
class Keywords(Generic[Asked]):
    """The keyword arguments of a function.

    Attributes:
        kind: the options of its command.
        command: its name.
        without: options that are none of its keywords.
        renamed: option -> keyword, where that has another name.
        beside: options that are parameters of their own.
    """

    kind: type[Asked]
    command: str
    without: frozenset[str] = frozenset()
    renamed: Mapping[str, str] = field(default_factory=dict)
    beside: frozenset[str] = frozenset()

    @cached_property
    def parts(self) -> dict[str, Field[Any]]:
        """Keyword -> field of the dataclass."""
        left_out = _OWN | _COMMAND_LINE | self.without | self.beside
        own = (part for part in fields(self.kind) if part.name not in left_out)
        return {self.renamed.get(part.name, part.name): part for part in own}

    @cached_property
    def _hints(self) -> dict[str, Any]:
        return get_type_hints(self.kind, include_extras=True)

    def options(self, given: Mapping[str, Any], **further: Any) -> Asked:
        """Return the options that keywords ask for; None is the default. `further` are fields that are no keywords.

        Raises:
            TypeError: there is no such keyword.
            UsageError: a value is of another type, out of range, or none of those that can be chosen.
        """
        for name in given:
            if name not in self.parts:
                raise TypeError(
                    f"{self.command}() got an unexpected keyword argument '{name}'.{did_you_mean(name, self.parts)}"
                )
        said = {name: value for name, value in given.items() if value is not None}
        values = {self.parts[name].name: self._checked(name, value) for name, value in said.items()}
        typed = {self.parts[name].name: f"{name}=" for name in said}
        typed |= {name: f"{name}=" for name, value in further.items() if value is not None and name in self._hints}
        return self.kind(**{**values, **further}, command=self.command, typed=typed)

    def _checked(self, name: str, value: Any) -> Any:
        kind, option = _opened(self._hints[self.parts[name].name])
        if get_origin(kind) is list:
            return _texts(name, value)
        if issubclass(kind, StrEnum):
            return _chosen(name, value, kind)
        if issubclass(kind, Path):
            return Path(value)
        wanted, such = _KINDS[kind]
        if not isinstance(value, wanted) or (isinstance(value, bool) and kind is not bool):
            raise UsageError(f"{name}={value!r}: {such} is wanted.")
        found = kind(value)
        low, high = getattr(option, "min", None), getattr(option, "max", None)
        if kind is not bool and kind is not str and not _within(found, low, high):
            raise UsageError(f"{name}={value!r} is not {_range(low, high)}.")
        return found

    def signature(self, function: Any) -> inspect.Signature:
        """Return the signature of a function with these keywords in the place of its last parameter."""
        *first, _ = inspect.signature(function).parameters.values()
        own = [
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=_default(part), annotation=_shown(self._hints[part.name])
            )
            for name, part in self.parts.items()
            if name not in {parameter.name for parameter in first}
        ]
        return inspect.Signature([*first, *own], return_annotation=inspect.signature(function).return_annotation)

    def documented(self, function: Callable[P, T]) -> Callable[P, T]:
        """Give a function the signature with these keywords, and their meaning at the end of its docstring."""
        function.__signature__ = self.signature(function)  # type: ignore[attr-defined]
        function.__doc__ = f"{inspect.cleandoc(function.__doc__ or '')}\n\nKeywords:\n{self.described()}\n"
        return function

    def described(self) -> str:
        """Return what the keywords mean, line by line, as the command's help says it."""
        lines = []
        for name, part in self.parts.items():
            _, option = _opened(self._hints[part.name])
            lines.append(f"    {name}: {self.spoken(option.help or '')}")
        return "\n".join(lines)

    def spoken(self, text: str) -> str:
        """Return a text that speaks of options of the command line as one that speaks of keywords.

        Commands to copy stay what they are.
        """
        if text.startswith("hierfit "):
            return text
        return re.sub(r"(?<![\w-])--([a-z][a-z-]*)(?:[ =]([^\s;:()]+))?(:?)", self._keyword, text)

    def _keyword(self, match: re.Match[str]) -> str:
        """Return until_ess=400, engine="full", marginal=True for what was written with dashes."""
        name, value, colon = match[1].replace("-", "_"), match[2] or "", match[3]
        name = self.renamed.get(name, name)
        if name not in self.parts and name not in self.beside:
            return match[0]
        kind = str if name in self.beside else _opened(self._hints[self.parts[name].name])[0]
        rest = f" {value}{colon}" if value else colon
        if kind is bool:
            return f"{name}=True{rest}"
        word = value.rstrip(".,")
        after = value[len(word) :] + colon
        if value[:1] in ('"', "'") or re.fullmatch(r"-?[\d.]*\d", word):
            return f"{name}={word}{after}"
        chosen = isinstance(kind, type) and issubclass(kind, StrEnum) and word in list(kind)
        if word and (chosen or word.isupper() or "=" in word or colon or name in _NAMES):
            return f'{name}="{word}"{after}'
        return f"{name}={rest}"


_KINDS: Mapping[type, tuple[Any, str]] = {
    bool: (bool, "True or False"),
    int: (Integral, "a whole number"),
    float: (Real, "a number"),
    str: (str, "a text"),
}


def _opened(hint: Any) -> tuple[Any, Any]:
    """Return the type of an option without None, and what Typer is told of it."""
    kind, option = get_args(hint)[:2] if get_origin(hint) is Annotated else (hint, None)
    if isinstance(kind, types.UnionType):
        (kind,) = (each for each in get_args(kind) if each is not type(None))
    return kind, option


def _texts(name: str, value: Any) -> list[str]:
    """Return the texts of an option that may be repeated."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [_pair(str(key), each) for key, each in value.items()]
    texts = list(value) if isinstance(value, Iterable) else [value]
    if all(isinstance(each, str) for each in texts):
        return texts
    raise UsageError(f"{name}={value!r}: a text is wanted, or several.", hint=f'for example {name}=["a", "b"]')


def _pair(name: str, value: Any) -> str:
    if isinstance(value, str) or not isinstance(value, Iterable):
        return f"{name}={value}"
    return levels_text(name, list(map(str, value)))


def _chosen(name: str, value: Any, kind: type[StrEnum]) -> StrEnum:
    value = value.replace("_", "-") if isinstance(value, str) else value
    choices = [choice.value for choice in kind]
    if value not in choices:
        raise UsageError(
            f"{name}={value!r} cannot be chosen.{did_you_mean(str(value), choices)}",
            hint=f"choose {' or '.join(map(repr, choices))}",
        )
    return kind(value)


def _within(value: float, low: float | None, high: float | None) -> bool:
    return math.isfinite(value) and (low is None or value >= low) and (high is None or value <= high)


def _range(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return "finite"
    if low is None or high is None:
        return f"at least {low:,}" if high is None else f"at most {high:,}"
    return f"from {low:,} to {high:,}"


def _default(part: Field[Any]) -> Any:
    default = None if part.default is MISSING else part.default
    return default.value if isinstance(default, StrEnum) else default


def _shown(hint: Any) -> Any:
    kind, _ = _opened(hint)
    return str if isinstance(kind, type) and issubclass(kind, StrEnum) else kind
