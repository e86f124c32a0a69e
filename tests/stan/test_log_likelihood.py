"""The log likelihood of rows in numpy against Stan's: what its density has beside that of the priors.

lp__ may differ from it by a constant only. Draws are written with 18 digits, so that nothing but the rounding of sums
of 40 numbers is left; and they go the whole way back to names and units of the CSV, from which the log likelihood is
computed.
"""

from dataclasses import replace

import numpy as np
import pytest

from hierfit.design.prior_choice import build_spec
from hierfit.engines.full.back import full_draws
from hierfit.engines.full.engine import FULL
from hierfit.model.families import FAMILIES
from hierfit.posterior.log_likelihood import LogLikelihood
from hierfit.sampling import SamplerOptions
from hierfit.stan.executable import build_executable
from hierfit.stan.programs import render_program
from hierfit.stan.sampler import sample
from hierfit.stan.toolchain import bundled_toolchain
from tests.family_cases import FAMILY_CASES, FORMULA, FamilyCase, family_design
from tests.stan.test_densities import log_prior, states

pytestmark = pytest.mark.stan


@pytest.mark.parametrize("further", [False, True], ids=["", "offset and weights"])
@pytest.mark.parametrize("case", FAMILY_CASES, ids=str)
def test_it_is_stans(case: FamilyCase, further: bool) -> None:
    design = family_design(case, further=further, centered=not further)
    if FAMILIES[case.family].takes_precision and not further:
        design = replace(design, precision=np.random.default_rng(4).gamma(2, 50, design.n_rows))
    spec = build_spec(FORMULA, design, case.priors)
    executable = build_executable(render_program(spec.family, collapsed=False), bundled_toolchain())
    options = SamplerOptions(
        chains=1, warmup=0, adapt=False, inits=0.3, step_size=0.01, max_treedepth=6, draws=20, seed=3, sig_figs=18
    )
    sampling = sample(executable, FULL.data(spec, design, None), options)
    prior = np.array([log_prior(state, spec, design, FULL) for state in states(sampling, spec, design)])
    found = LogLikelihood(full_draws(sampling, design, spec), design).of(np.arange(design.n_rows)).sum(axis=1)
    assert np.ptp(found) > 1, "the draws must differ for the comparison to say anything"
    rest = sampling.stats["lp"].ravel() - prior - found
    assert np.ptp(rest) < 1e-8 * (1 + np.abs(found).max())
