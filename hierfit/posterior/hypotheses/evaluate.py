"""Trees x draws -> their values in every draw, and in which draws there is none.

A draw in which some part has no finite value (a division by 0, the logarithm of a number below 0) has none for the
whole; they are counted by the part that was the first to have none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.posterior.hypotheses.functions import FUNCTIONS
from hierfit.posterior.hypotheses.tree import (
    Call,
    Chain,
    Claim,
    Comparison,
    Joined,
    Name,
    Negative,
    Not,
    Number,
    Power,
    Quantity,
)

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
_SIGNS = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "=": np.equal}


@dataclass(frozen=True)
class Known:
    """What is known of every draw.

    Attributes:
        values: draws of each name [chains, draws].
        shape: chains, draws.
    """

    values: Mapping[str, Array]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Truth:
    """Whether a claim holds in every draw [chains, draws], and whether that is known there."""

    holds: Flags
    known: Flags


def value_of(tree: Quantity, draws: Known, missing: Counter[str]) -> Array:
    """Return the values of a quantity in every draw [chains, draws], NaN where it has none; counts these by reason."""
    with np.errstate(all="ignore"):
        values = _value(tree, draws, missing)
    values = np.broadcast_to(values, draws.shape)
    return np.where(np.isfinite(values), values, np.nan)


def _value(tree: Quantity, draws: Known, missing: Counter[str]) -> Array:
    match tree:
        case Number(value):
            return np.asarray(value)
        case Name(name):
            return _counted("the sampler gave no finite number", draws.values[name], (), missing, draws)
        case Negative(of):
            return -_value(of, draws, missing)
        case Chain(first, then):
            total = _value(first, draws, missing)
            for sign, part in then:
                total = _step(sign, total, _value(part, draws, missing), missing, draws)
            return total
        case Power(base, exponent):
            below, above = _value(base, draws, missing), _value(exponent, draws, missing)
            return _counted("the power has no value", np.power(below, above), (below, above), missing, draws)
        case Call(function, arguments):
            values = tuple(_value(argument, draws, missing) for argument in arguments)
            how = FUNCTIONS[function]
            return _counted(how.without, how.compute(*values), values, missing, draws)


def _step(sign: str, left: Array, right: Array, missing: Counter[str], draws: Known) -> Array:
    if sign == "/":
        reason = "something is divided by 0" if np.any(right == 0) else "a number is too large"
        return _counted(reason, left / right, (left, right), missing, draws)
    found = left + right if sign == "+" else left - right if sign == "-" else left * right
    return _counted("a number is too large", found, (left, right), missing, draws)


def _counted(reason: str, found: Array, of: tuple[Array, ...], missing: Counter[str], draws: Known) -> Array:
    """Return what was found, having counted where it is no number though all that it is of are."""
    lacks = ~np.isfinite(found)
    if lacks.any():
        for value in of:
            lacks = lacks & np.isfinite(value)
        count = int(np.count_nonzero(np.broadcast_to(lacks, draws.shape)))
        if count:
            missing[reason] += count
    return np.asarray(np.where(np.isfinite(found), found, np.nan))


def truth_of(tree: Claim, draws: Known, missing: Counter[str]) -> Truth:
    """Return whether a claim holds in every draw; nothing is known of it where some quantity in it has no value."""
    match tree:
        case Comparison(operands, signs):
            values = [value_of(operand, draws, missing) for operand in operands]
            known = np.asarray(np.isfinite(values).all(axis=0))
            pairs = zip(signs, values, values[1:], strict=False)
            holds = np.all([_SIGNS[sign](left, right) for sign, left, right in pairs], axis=0)
            return Truth(np.asarray(holds & known), known)
        case Joined(word, parts):
            truths = [truth_of(part, draws, missing) for part in parts]
            known = np.asarray(np.all([truth.known for truth in truths], axis=0))
            holds = (np.all if word == "and" else np.any)([truth.holds for truth in truths], axis=0)
            return Truth(np.asarray(holds & known), known)
        case Not(of):
            truth = truth_of(of, draws, missing)
            return Truth(np.asarray(~truth.holds & truth.known), truth.known)
