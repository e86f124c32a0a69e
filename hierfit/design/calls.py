"""A call in a formula, `poly(age, 2)` or `C(grade)`: its columns, what it learnt from the rows, and the same on others.

formulae evaluates it. Its transforms with a memory keep numbers of the rows that they first saw (a mean, knots, the
coefficients of polynomials); calls of levels keep these and what each is coded as. Both are taken out as plain values,
so that a call can be stored with a fit and evaluated again on other rows years later: the same columns there as in a
larger fit with the same numbers. The values are those of formulae 0.9, to which hierfit is pinned.
"""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit.model.term_checks import NUMPY_FUNCTIONS
from hierfit.model.term_text import call_text

Array = NDArray[np.float64]
State = Mapping[str, Any]
Level = str | int | float | bool

_FUNCTIONS = {name: getattr(np, name) for name in NUMPY_FUNCTIONS}

# Reentrant: evaluating one call may evaluate another.
_ALONE = threading.RLock()


@dataclass(frozen=True)
class Contrasts:
    """How the levels of a call are coded.

    Attributes:
        labels: what the columns are called [p].
        matrix: the columns at each level [L, p].
    """

    labels: tuple[str, ...]
    matrix: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Learnt:
    """What a call learnt.

    Attributes:
        text: the call as the formula has it.
        name: what its columns are called: the same without backticks.
        states: of its transforms with a memory, in the order in which they stand, the outer before the inner.
        levels: of a call of levels, they themselves [L]; empty for numbers.
        full: the coding of such levels whose columns add up to ones; None for numbers.
        reduced: the coding that together with ones spans the same.
    """

    text: str
    name: str
    states: tuple[State, ...]
    levels: tuple[Level, ...] = ()
    full: Contrasts | None = None
    reduced: Contrasts | None = None


def learn(text: str, frame: Any) -> tuple[Learnt, Array | NDArray[np.int64]]:
    """Evaluate a call on a data frame; return what it learnt, and what `evaluate` makes of these rows.

    Raises:
        Exception: whatever formulae, or a function that the call names, raises.
    """
    component = _component(text)
    name = call_text(component.call)
    with _quiet():
        component.set_type(frame, _environment())
        component.set_data(True)
        states = tuple(_as_plain(vars(call.stateful_transform)) for call in _remembering(component.call))
        if component.kind != "categoric":
            learnt, found = Learnt(text, name, states), component.value
        else:
            found = component.call.eval(frame, component.env)
            full = _contrasts(component)
            component.set_data(False)
            levels = tuple(level.item() if isinstance(level, np.generic) else level for level in component.levels)
            learnt = Learnt(text, name, states, levels, full, _contrasts(component))
    return learnt, _columns_or_codes(learnt, found, len(frame))


def evaluate(learnt: Learnt, frame: Any) -> Array | NDArray[np.int64]:
    """Return the columns of a call on other rows [N, p], or of a call of levels the codes of these [N], -1 if unknown.

    Raises:
        Exception: whatever formulae, or a function that the call names, raises.
    """
    component = _component(learnt.text)
    calls = list(_calls(component.call))
    with _quiet():
        environment = _environment()
        remembering = iter(learnt.states)
        for call in calls:
            if _has_memory(call, environment):
                call.stateful_transform = environment.namespace[call.callee]()
                vars(call.stateful_transform).update(_from_plain(next(remembering)))
        found = component.call.eval(frame, environment)
    return _columns_or_codes(learnt, found, len(frame))


def _columns_or_codes(learnt: Learnt, found: Any, n_rows: int) -> Array | NDArray[np.int64]:
    """Return what a call came to as columns of numbers, or as codes of its levels, -1 for one that is not known."""
    if not learnt.levels:
        return np.asarray(found, dtype=np.float64).reshape(n_rows, -1)
    import pandas as pd

    labels = found.data if hasattr(found, "contrast") else found  # formulae's box of labels and coding
    return np.asarray(pd.Index(learnt.levels).get_indexer(pd.Index(labels)), dtype=np.int64)


def _component(text: str) -> Any:
    """Return formulae's description of a call."""
    from formulae.model_description import model_description

    terms = model_description(f"0 + {text}").common_terms
    return next(term for term in terms if hasattr(term, "components")).components[0]


def _environment() -> Any:
    from formulae.categorical import ENCODINGS
    from formulae.environment import Environment
    from formulae.transforms import TRANSFORMS

    return Environment([{**TRANSFORMS, **ENCODINGS}, _FUNCTIONS])


@contextlib.contextmanager
def _sample_sd() -> Iterator[None]:
    """Let formulae's scale(x) divide by the sd with n - 1 for a while, as R's does; formulae's own has n."""
    from formulae.transforms import TRANSFORMS, Scale

    class SampleScale(Scale):  # type: ignore[misc]
        def __call__(self, x: Array) -> Array:
            if not self.params_set:
                self.mean, self.std = np.mean(x), np.std(x, ddof=1)
                self.params_set: bool = True
            return np.asarray((x - self.mean) / self.std)

    own = {name: transform for name, transform in TRANSFORMS.items() if transform is Scale}
    TRANSFORMS.update(dict.fromkeys(own, SampleScale))
    try:
        yield
    finally:
        TRANSFORMS.update(own)


def _calls(lazy: Any) -> Iterator[Any]:
    """Yield the calls of formulae's tree, the outer before the inner."""
    if type(lazy).__name__ == "LazyCall":
        yield lazy
    for part in [*getattr(lazy, "args", ()), *getattr(lazy, "kwargs", {}).values()]:
        yield from _calls(part)


def _remembering(lazy: Any) -> Iterator[Any]:
    return (call for call in _calls(lazy) if call.stateful_transform is not None)


def _has_memory(call: Any, environment: Any) -> bool:
    return bool(getattr(environment.namespace.get(call.callee), "__stateful_transform__", False))


def _contrasts(component: Any) -> Contrasts:
    coded = component.contrast_matrix
    return Contrasts(tuple(coded.labels), tuple(map(tuple, coded.matrix.astype(np.float64).tolist())))


def _as_plain(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the memory of a transform as what JSON has: arrays as {"array": lists}, mappings as {"pairs": lists}."""
    return {name: _plain(value) for name, value in state.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return {"array": value.tolist()}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {"pairs": [[key, _plain(item)] for key, item in value.items()]}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{type(value).__name__} is nothing that can be stored")


def _from_plain(state: State) -> dict[str, Any]:
    return {name: _restored(value) for name, value in state.items()}


def _restored(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    if "array" in value:
        return np.array(value["array"], dtype=np.float64)
    return {key: _restored(item) for key, item in value["pairs"]}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep quiet what formulae prints before it raises, and what becomes of log(0), which is said elsewhere.

    Both stdout and the sd of formulae are the process's: one thread at a time.
    """
    with _ALONE, np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()), _sample_sd():
        yield
