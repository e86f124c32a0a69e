"""Frozen dataclasses <-> what JSON holds, by their type hints: how they are written, and how they are read back.

    dataclass             an object with a key for each field, or what its `Key` names
    tuple[X, ...]         a list
    Mapping[str, X]       an object
    Enum, Path            text
    str, bool, int, float themselves; a float may be written as a whole number
    Measured              a float, or null where there is no finite number

`Annotated[int, Within(1, 20)]` is a number in that range. No key may be missing but that of a `Later` field, which
files of earlier versions lack; one that is no field's is refused, except at the top where `extra` allows it.
"""

from __future__ import annotations

import json
import math
import os
import re
import types
from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, fields, is_dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from hierfit.errors import did_you_mean

T = TypeVar("T")
_MOST = 2**63 - 1
_SHOWN = 60
_SCALARS: Mapping[Any, str] = {
    str: "text",
    Path: "the path of a file",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    type(None): "null",
    Any: "anything",
}


class UnexpectedError(ValueError):
    """Something stands where it should not: `where`, by dotted keys; what is wrong with it, in words that follow."""

    def __init__(self, where: str, wrong: str) -> None:
        super().__init__(f"{where or 'the content'} {wrong}")
        self.where = where


@dataclass(frozen=True)
class Within:
    """The range of a number, its ends included; None is no end."""

    least: float | None = None
    most: float | None = None

    def __contains__(self, number: float) -> bool:
        return (self.least is None or number >= self.least) and (self.most is None or number <= self.most)

    def __str__(self) -> str:
        ends = (("from", self.least), ("to", self.most))
        return "".join(f" {word} {end:,.12g}" for word, end in ends if end is not None)


@dataclass(frozen=True)
class Key:
    """Marks a field that JSON has under another key."""

    name: str


class _Later:
    """Marks a field that was added later: where it is missing, it has its default."""


class _OrNan:
    """Marks a float that may be no finite number."""


Measured = Annotated[float, _OrNan()]
Later = Annotated[T, _Later()]
Count = Annotated[int, Within(0)]
Positive = Annotated[int, Within(1)]


def to_plain(value: Any) -> Any:
    """Return what JSON can hold of a value; None in place of a float that is not finite."""
    if is_dataclass(value):
        kind: Any = type(value)
        return {key: to_plain(getattr(value, part.name)) for key, part in _keys(kind).items()}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {name: to_plain(inner) for name, inner in value.items()}
    if isinstance(value, tuple | list):
        return [to_plain(inner) for inner in value]
    if isinstance(value, Path):
        return str(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def parse(text: str) -> Any:
    """Return what a JSON text holds: numbers that are finite and not too large.

    Raises:
        ValueError: it is no JSON.
        UnexpectedError: something in it is none of these.
    """
    try:
        content = json.loads(text)
        _check(content, "")
    except RecursionError as error:
        raise ValueError("its brackets are nested too deeply") from error
    return content


def from_plain(kind: type[T], stored: Any, where: str = "", *, extra: bool = False) -> T:
    """Return the dataclass that `to_plain` wrote.

    Args:
        kind: the dataclass.
        stored: what JSON held.
        where: dotted keys that lead to it, for errors.
        extra: whether it may hold keys that are no field's, which are passed over.

    Raises:
        UnexpectedError: something is missing, unknown, of another type, or out of range.
    """
    if not isinstance(stored, dict):
        raise _unexpected(where, stored, kind)
    described: Any = kind
    known, hints = _keys(described), _hints(described)
    if not extra:
        for key in stored:
            if key not in known:
                raise UnexpectedError(below(where, key), f"is not known.{did_you_mean(key, known)}")
    values = {}
    for key, part in known.items():
        if key in stored:
            values[part.name] = _read(hints[part.name], stored[key], below(where, key))
        elif not any(isinstance(mark, _Later) for mark in get_args(hints[part.name])[1:]):
            expected = _expected(hints[part.name])
            raise UnexpectedError(below(where, key), f"is missing; expected {expected}")
    return kind(**values)


def below(where: str, key: str | int) -> str:
    """Return the dotted name of what lies under a key, or at a place of a list: `model.groups[0].terms`."""
    if isinstance(key, int):
        return f"{where}[{key}]"
    name = key if re.fullmatch(r"[\w-]+", key) else shown(key)
    return f"{where}.{name}" if where else name


def shown(value: Any) -> str:
    """Return a value of JSON as it stands there, long ones cut."""
    text = json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


@lru_cache(maxsize=256)
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


@lru_cache(maxsize=256)
def _keys(kind: Any) -> dict[str, Field[Any]]:
    """Return the fields of a dataclass by the keys that JSON has for them."""
    return {_key(_hints(kind)[part.name], part.name): part for part in fields(kind)}


def _key(hint: Any, name: str) -> str:
    return next((mark.name for mark in get_args(hint)[1:] if isinstance(mark, Key)), name)


def _read(hint: Any, stored: Any, where: str) -> Any:
    """Return a value of the type that a hint names."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _read_annotated(hint, stored, where)
    if origin in (Union, types.UnionType):
        return _read_one_of(hint, stored, where)
    if origin is Literal:
        if any(type(stored) is type(word) and stored == word for word in arguments):
            return stored
    elif origin is tuple or (isinstance(origin, type) and issubclass(origin, Sequence)):
        if isinstance(stored, list):
            return _read_list(hint, stored, where)
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        if isinstance(stored, dict):
            return {name: _read(arguments[1], inner, below(where, name)) for name, inner in stored.items()}
    elif is_dataclass(hint) and isinstance(hint, type):
        return from_plain(hint, stored, where)
    elif isinstance(hint, type) and issubclass(hint, Enum):
        if stored in [member.value for member in hint]:
            return hint(stored)
    elif hint in _SCALARS and _is_scalar(hint, stored):
        return stored if hint is Any or stored is None else hint(stored)
    raise _unexpected(where, stored, hint)


def _is_scalar(hint: Any, stored: Any) -> bool:
    if hint is Path:
        return isinstance(stored, str) and _is_path(stored)
    if hint is float:
        return isinstance(stored, float | int) and not isinstance(stored, bool)
    return hint is Any or type(stored) is hint


def _is_path(text: str) -> bool:
    """Whether a text can name a file: bytes that are no text stand there as Python writes them."""
    try:
        return bool(text) and b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def _read_annotated(hint: Any, stored: Any, where: str) -> Any:
    base, *marks = get_args(hint)
    if stored is None and any(isinstance(mark, _OrNan) for mark in marks):
        return math.nan
    ranges = [mark for mark in marks if isinstance(mark, Within)]
    try:
        value = _read(base, stored, where)
    except UnexpectedError as error:
        if ranges and error.where == where:
            raise _unexpected(where, stored, hint) from error
        raise
    if any(value not in within for within in ranges):
        raise _unexpected(where, stored, hint)
    return value


def _read_one_of(hint: Any, stored: Any, where: str) -> Any:
    """Return a value of the first type that fits; where only one is not null, its error says most."""
    members = [member for member in get_args(hint) if member is not type(None)]
    if stored is None and len(members) < len(get_args(hint)):
        return None
    for member in members:
        try:
            return _read(member, stored, where)
        except UnexpectedError as error:
            if len(members) == 1 and error.where != where:
                raise
    raise _unexpected(where, stored, hint)


def _read_list(hint: Any, stored: list[Any], where: str) -> tuple[Any, ...]:
    arguments = get_args(hint)
    if get_origin(hint) is tuple and (len(arguments) != 2 or arguments[1] is not Ellipsis):
        if len(stored) != len(arguments):
            raise UnexpectedError(where, f"has {len(stored)} elements; expected {len(arguments)}")
        kinds = list(arguments)
    else:
        kinds = [arguments[0]] * len(stored)
    pairs = zip(kinds, stored, strict=True)
    return tuple(_read(kind, inner, below(where, index)) for index, (kind, inner) in enumerate(pairs))


def _unexpected(where: str, stored: Any, hint: Any) -> UnexpectedError:
    return UnexpectedError(where, f"is {shown(stored)}; expected {_expected(hint)}")


def _expected(hint: Any) -> str:
    """Return what a hint asks for, in words."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        ranges = "".join(str(mark) for mark in arguments[1:] if isinstance(mark, Within))
        return _expected(arguments[0]) + ranges
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_expected(member) for member in arguments))
    if origin is Literal:
        return " or ".join(shown(word) for word in arguments)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return " or ".join(shown(member.value) for member in hint)
    if hint in _SCALARS:
        return _SCALARS[hint]
    if is_dataclass(hint) or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return "an object"
    return "a list"


def _check(value: Any, where: str) -> None:
    """Refuse numbers that no part of hierfit can have written."""
    if isinstance(value, dict):
        for key, inner in value.items():
            _check(inner, below(where, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _check(inner, below(where, index))
    elif isinstance(value, float) and not math.isfinite(value):
        raise UnexpectedError(where, f"is {value}; expected a finite number")
    elif isinstance(value, int) and abs(value) > _MOST:
        raise UnexpectedError(where, f"is a number of {len(str(abs(value)))} digits; expected one of at most 18")
