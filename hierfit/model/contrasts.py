"""Contrasts: what the coefficients of a column of words compare, as the user chose it.

The kinds are those of R: contr.treatment, contr.sum, contr.helmert, contr.poly, and contr.sdif of MASS (Venables,
Ripley 2002, Modern Applied Statistics with S, section 6.2); or a matrix of the user's own. `design.contrasts` has their
columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class ContrastKind(StrEnum):
    """What the columns of C levels are; each kind has C - 1."""

    TREATMENT = "treatment"  # each level against the reference
    SUM = "sum"  # each level but the last against the mean of all
    HELMERT = "helmert"  # each level but the first against the mean of those before
    POLY = "poly"  # orthonormal polynomials over the levels, equally spaced
    SDIF = "sdif"  # each level but the first against the one before
    CUSTOM = "custom"  # a matrix of the user's own


CHOICES = tuple(kind.value for kind in ContrastKind if kind is not ContrastKind.CUSTOM)


@dataclass(frozen=True)
class LevelContrasts:
    """The contrasts of one column.

    Attributes:
        kind: which they are.
        file: of custom ones, where their matrix was read.
        levels: of custom ones, the levels that have a row in it [C].
        lines: of custom ones, the lines of these in the file [C].
        names: of custom ones, what they are called [C - 1].
        matrix: of custom ones, their values at each level [C, C - 1].
    """

    kind: ContrastKind
    file: str = ""
    levels: tuple[str, ...] = ()
    lines: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    matrix: tuple[tuple[float, ...], ...] = ()

    @property
    def written(self) -> str:
        """The kind, or the file, as --contrasts takes it."""
        return self.file or self.kind.value

    def fit(self, levels: Sequence[str]) -> bool:
        """Whether custom ones have a row for each of these levels and no other, and one contrast fewer than rows."""
        if self.kind is not ContrastKind.CUSTOM:
            return True
        size = len(levels) - 1
        rows = len(self.matrix) == len(levels) and all(len(row) == size for row in self.matrix)
        return rows and len(self.names) == size and sorted(self.levels) == sorted(levels)


NO_CONTRASTS: Mapping[str, LevelContrasts] = MappingProxyType({})
