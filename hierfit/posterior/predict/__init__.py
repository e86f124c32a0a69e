"""One road for every question to a fit: rows -> linear predictors under draws -> a quantity -> a summary.

Rows are those of the fit (`Design.at`) or others in its columns (`Design.on`). What other rooms use is named here.
"""

from hierfit.posterior.predict.draws_of import chosen_effects, pick_draws
from hierfit.posterior.predict.linear import (
    Population,
    auxiliary_draws,
    linear_predictor,
    population_part,
)
from hierfit.posterior.predict.values import (
    category_shares,
    expected,
    expected_rows,
    replicate,
    replicate_under,
    trials_of,
)

__all__ = [
    "Population",
    "auxiliary_draws",
    "category_shares",
    "chosen_effects",
    "expected",
    "expected_rows",
    "linear_predictor",
    "pick_draws",
    "population_part",
    "replicate",
    "replicate_under",
    "trials_of",
]
