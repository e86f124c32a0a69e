"""Arguments of poly() and bs() in the tree of a formula: whole numbers that make columns, and not without end."""

from __future__ import annotations

from typing import Any

from hierfit.errors import FormulaError
from hierfit.model.masking import unmask

# Function -> its arguments after the column, in their order; those that count columns with the least and the most.
_ORDER = {"poly": ("degree", "raw"), "bs": ("df", "knots", "degree")}
_RANGES = {("poly", "degree"): (1, 30), ("bs", "df"): (1, 200), ("bs", "degree"): (0, 5)}


def check_arguments(name: str, arguments: list[Any], text: str) -> None:
    """Refuse a degree or a number of columns that no curve has.

    Raises:
        FormulaError: it is no whole number in digits, or too small or too large.
    """
    order = _ORDER.get(name, ())
    for place, argument in enumerate(arguments[1:]):
        if type(argument).__name__ == "Assign":
            argument_name, value = argument.name.name.lexeme, argument.value
        elif place < len(order):
            argument_name, value = order[place], argument
        else:
            continue
        least, most = _RANGES.get((name, unmask(argument_name)), (None, None))
        if least is not None and most is not None:
            _check_number(f"{unmask(argument_name)} of {name}(...)", value, least, most, text)


def _check_number(what: str, value: Any, least: int, most: int, text: str) -> None:
    number = value.value if type(value).__name__ == "Literal" else None
    if type(number) is not int or not least <= number <= most:
        raise FormulaError(
            f"the {what} in '{text}' must be a whole number from {least} to {most}.",
            hint="for example poly(x, 2), a parabola, or bs(x, df=4), a spline of four columns",
        )
