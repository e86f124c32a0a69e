"""Terms -> how the factors of each are coded, so that the columns span what the terms say and none is there twice.

A factor is coded in full, a column for each level, or reduced, without its reference, where the columns of the others
add up to those of terms without it. Each term means all functions of its cells. A term of factors a, b, c is the sum
of the parts of its subsets: none, a, b, c, a:b, ..., a:b:c; what earlier terms have brought is left out, and of the
rest as many subsets as can are taken together, {b} and {a, b} as b with all levels of a. So `a:b` beside `a` alone has
the columns of a[all]:b[reduced], and `a:b:c` alone beside an intercept has seven columns for eight cells, in several
pieces. Numbers multiply: subsets are counted apart for each set of numeric atoms.

Terms of fewer factors are coded first, whatever the order in which they are written, so that the model does not depend
on it. The algorithm is that of patsy (Smith and others, "From terms to matrices"; after Chambers and Hastie 1992).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from hierfit.model.expansion import Term


@dataclass(frozen=True)
class Piece:
    """Columns of a term, all products of those of its atoms.

    Attributes:
        atoms: what is multiplied, in the order of the term; a number, a factor in full or reduced.
        reduced: those of them that lack their reference.
    """

    atoms: Term
    reduced: tuple[str, ...]


def code_terms(terms: Sequence[Term], factors: Collection[str], *, intercept: bool) -> tuple[tuple[Piece, ...], ...]:
    """Return the pieces of each term; none for a term that others span already.

    `factors` says which atoms are of categories; `intercept` whether there is one beside the terms.
    """
    spanned: dict[frozenset[str], set[frozenset[str]]] = {}
    if intercept:
        spanned[frozenset()] = {frozenset()}
    found: dict[int, tuple[Piece, ...]] = {}
    for index in sorted(range(len(terms)), key=lambda index: sum(atom in factors for atom in terms[index])):
        own = [atom for atom in terms[index] if atom in factors]
        known = spanned.setdefault(frozenset(terms[index]) - frozenset(own), set())
        new = [subset for subset in _subsets(own) if frozenset(subset) not in known]
        known |= {frozenset(subset) for subset in new}
        found[index] = tuple(_piece(terms[index], own, full) for full in _gathered(new))
    return tuple(found[index] for index in range(len(terms)))


def _subsets(names: Sequence[str]) -> Iterable[tuple[str, ...]]:
    """Yield all subsets, the smaller first."""
    for size in range(len(names) + 1):
        yield from combinations(names, size)


def _gathered(subsets: Sequence[tuple[str, ...]]) -> list[tuple[frozenset[str], frozenset[str]]]:
    """Return as few (reduced, full) sets of factors as stand for these subsets.

    (R, F) stands for all subsets of R and F together that hold R. Two that differ in one factor only, which one has in
    R and the other has not at all, are one with that factor in F.
    """
    pieces = [(frozenset(subset), frozenset[str]()) for subset in subsets]
    merged = True
    while merged:
        merged = False
        for one, other in combinations(pieces, 2):
            (small, full), (large, full_too) = sorted((one, other), key=lambda piece: len(piece[0]))
            more = large - small
            if full == full_too and small < large and len(more) == 1:
                pieces.remove(one)
                pieces[pieces.index(other)] = (small, full | more)
                merged = True
                break
    return pieces


def _piece(term: Term, own: Sequence[str], sets: tuple[frozenset[str], frozenset[str]]) -> Piece:
    reduced, full = sets
    return Piece(
        tuple(atom for atom in term if atom not in own or atom in reduced | full),
        tuple(atom for atom in term if atom in reduced),
    )
