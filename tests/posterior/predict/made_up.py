"""Made-up draws of any model on any rows: those of the full engine's way back, from numbers that no sampler drew."""

from dataclasses import dataclass

import numpy as np

from hierfit.design.building import build_design
from hierfit.design.derive import with_derived
from hierfit.design.design import Design
from hierfit.design.prior_choice import build_spec
from hierfit.engines.full.back import full_draws
from hierfit.engines.full.engine import FULL
from hierfit.model.formula_text import parse_formula
from hierfit.model.roles import NO_ROLES, Roles
from hierfit.posterior.draws import Draws
from hierfit.sampling import SamplerOptions
from tests.fake_sampling import fake_sampling


@dataclass(frozen=True)
class MadeUp:
    draws: Draws
    design: Design

    @property
    def every(self):
        return np.arange(self.draws.n_chains * self.draws.n_draws)


def made_up(text, table, family="gaussian", roles=NO_ROLES, *, draws=50, seed=1, link=None) -> MadeUp:
    """Return a model with made-up draws, 4 chains of so many."""
    formula = parse_formula(text)
    own: Roles = roles
    design = build_design(formula, with_derived(table, own.columns), family=family, roles=own, link=link)
    spec = build_spec(formula, design)
    options = SamplerOptions(chains=4, draws=draws, seed=seed, max_treedepth=11)
    return MadeUp(full_draws(fake_sampling(FULL.data(spec, design), options), design, spec), design)
