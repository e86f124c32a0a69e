import numpy as np

from hierfit.design.building import build_design
from hierfit.design.prior_choice import build_spec
from hierfit.engines.full.layout import lay_out
from hierfit.engines.full.repeated import Repeated
from hierfit.model.formula_text import parse_formula
from tests.model.cases import nested_table


def test_another_look_at_the_effects_keeps_what_does_not_depend_on_it() -> None:
    formula = parse_formula("y ~ a + (1 | g) + (1 | h)")
    design = build_design(formula, nested_table())
    spec = build_spec(formula, design)
    repeated = Repeated(np.arange(2), np.ones(2), None, np.ones(2, dtype=np.int64))
    first = lay_out(spec, design, np.ones(12), repeated)
    other = first.seen_anew(spec, design, np.full(12, 0.5))
    assert (first.centering.narrowed == 1).all() and (other.centering.narrowed == 0.5).all()
    assert first.sweeping.swept.any() and first.sweeping.swept.tolist() != other.sweeping.swept.tolist()
    assert other.nesting is first.nesting and other.repeated is repeated
