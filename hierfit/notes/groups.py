"""Notes about grouping factors: how much their levels can say about the variation between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hierfit.model.cells import numbers_in
from hierfit.model.design import Group
from hierfit.model.formula import Formula, GroupTerm, quoted
from hierfit.model.spec import sd_name
from hierfit.notes.note import Known, Note, NoteKind
from hierfit.notes.options import formula_option, without_group
from hierfit.results.words import counted, listed

FEW_LEVELS = 4


def few_levels(known: Known) -> Iterator[Note]:
    """Yield a note for each factor with four levels or fewer whose sds have no prior of the user's."""
    for term, group in zip(known.request.formula.groups, known.design.groups, strict=True):
        sds = [sd_name(group.factor, name) for name in group.terms]
        left = [name for name in sds if not known.is_set_by_user(name)]
        if group.n_levels > FEW_LEVELS or not left:
            continue
        text = (
            f"{counted(group.n_levels, group.factor)} say little about how much such levels differ: "
            f"{listed(left)} {'is' if len(left) == 1 else 'are'} mostly what the prior says. "
            f"Set a prior that you can defend, or compare the {group.n_levels} as a predictor."
        )
        option = formula_option(_as_predictor(known.request.formula, group)) if _is_plain(term) else None
        yield Note(NoteKind.FEW_LEVELS, text, term.columns, option)


def _is_plain(term: GroupTerm) -> bool:
    """Whether nothing but the intercept varies between the labels of one column."""
    return term.intercept and not term.slopes and not term.crossing


def _as_predictor(formula: Formula, group: Group) -> Formula:
    """Return the formula with the levels of a factor as categories of a predictor."""
    left, column = without_group(formula, group.factor), quoted(group.factor)
    term = f"C({column})" if any(number is not None for number in numbers_in(group.labels)) else column
    return replace(left, terms=(*left.terms, term))
