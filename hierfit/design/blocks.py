"""Group terms of all predictors x their columns -> the grouping factors, what varies by each in blocks.

Coefficients of one block are correlated: those of one group term with `|`, and those of terms with the same letter in
predictors of several parameters, `(1 | p | school)`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hierfit.data.table import Table
from hierfit.design.design import Group
from hierfit.design.grouping import levels_of
from hierfit.design.terms import Columns
from hierfit.model.formula import Formula, GroupTerm
from hierfit.model.grammar import INTERCEPT
from hierfit.model.spec import Block, varying_name


@dataclass(frozen=True)
class _Part:
    """One group term: the parameter that it is of, None for the mean, and the columns of its slopes."""

    parameter: str | None
    term: GroupTerm
    slopes: Columns

    @property
    def names(self) -> tuple[str, ...]:
        own = ((INTERCEPT,) if self.term.intercept else ()) + self.slopes.names
        return tuple(varying_name(self.parameter, name) for name in own)


def lay_out_groups(formula: Formula, slopes: Sequence[Columns], table: Table) -> tuple[Group, ...]:
    """Return the grouping factors, those of the mean first; `slopes` are those of each of the formula's group terms."""
    owners: list[str | None] = [None] * len(formula.groups)
    owners += [own.parameter for own in formula.distributional for _ in own.groups]
    factors: dict[frozenset[str], list[_Part]] = {}
    for parameter, term, columns in zip(owners, formula.all_groups, slopes, strict=True):
        factors.setdefault(frozenset(term.columns), []).append(_Part(parameter, term, columns))
    return tuple(_group(parts, table) for parts in factors.values())


def _group(parts: Sequence[_Part], table: Table) -> Group:
    together = list(_together(parts))
    ordered = [part for block in together for part in block]
    ones = np.ones((table.n_rows, 1))
    blocks = [_block(block) for block in together]
    parameters = tuple(part.parameter for part in ordered for _ in part.names)
    first = parts[0].term
    labels, codes = levels_of(first.columns, table)
    columns = [column for part in ordered for column in ([ones] * part.term.intercept + [part.slopes.values])]
    return Group(
        factor=first.factor,
        labels=labels,
        codes=codes,
        terms=tuple(name for part in ordered for name in part.names),
        Z=np.column_stack(columns),
        correlated=blocks[0].correlated,
        slopes=tuple(term for part in ordered for term in part.slopes.terms),
        crossing=first.crossing,
        parameters=parameters if any(parameters) else (),
        further=tuple(blocks[1:]),
    )


def _together(parts: Sequence[_Part]) -> Iterator[list[_Part]]:
    """Yield the parts of each block: those that share a letter, or one alone."""
    blocks: dict[tuple[str | None, int], list[_Part]] = {}
    for number, part in enumerate(parts):
        letter = part.term.shared
        blocks.setdefault((letter, 0 if letter else number), []).append(part)
    yield from blocks.values()


def _block(parts: Sequence[_Part]) -> Block:
    size = sum(len(part.names) for part in parts)
    return Block(size, size > 1 and all(part.term.correlated for part in parts))
