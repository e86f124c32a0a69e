"""Names of columns -> identifiers that a Stan program may hold: safe, and no two the same."""

from __future__ import annotations

import re
from collections.abc import Sequence

# Words of the language, which no variable may be called.
_KEYWORDS = """
for in while repeat until if then else true false target return break continue profile struct typedef export extern
static auto data transformed parameters model generated quantities functions lower upper offset multiplier void int
real complex vector simplex unit_vector ordered positive_ordered row_vector matrix complex_vector complex_row_vector
complex_matrix corr_matrix cov_matrix cholesky_factor_corr cholesky_factor_cov array tuple sum_to_zero_vector
sum_to_zero_matrix column_stochastic_matrix row_stochastic_matrix print reject fatal_error get_lp increment_log_prob
jacobian
"""
# What narrow programs call by name: their own variables, and functions.
_USED = """
N X Xc X_mean b mu eta y i k trials offsets weights precision unit threshold threshold_at_mean z_shrunk spread b_shrunk
horseshoe_scale horseshoe_local slab sigma nu shape phi zi hu Intercept Intercept_at_mean success counted none
log_probability zero_inflated hurdle column_means means
mean cols exp log log1m log1m_exp log_mix log_inv_logit inv_logit inv sqrt square diagonal tcrossprod append_col
diag_pre_multiply rows_dot_product rep_vector rep_matrix to_vector multiply_lower_tri_self_transpose
normal student_t cauchy double_exponential logistic lognormal exponential gamma inv_gamma uniform beta std_normal
lkj_corr_cholesky bernoulli_logit binomial_logit beta_binomial poisson_log neg_binomial_2_log ordered_logistic
"""
_BY_PREDICTOR = ("X", "Xc", "X_mean", "b", "Intercept")
_BY_FACTOR = ("{}", "J_{}")
_BY_BLOCK = ("sd_{}", "z_{}", "Z_{}", "Zc_{}", "Z_{}_mean", "L_{}", "cor_{}", "u_{}", "T_{}")


def identifier(text: str) -> str:
    """Return letters, digits and single underscores, a letter first."""
    plain = re.sub(r"[\W_]+", "_", text, flags=re.ASCII).strip("_")
    return plain if plain[:1].isalpha() else f"x_{plain}".rstrip("_")


class Names:
    """The identifiers of one program."""

    def __init__(self, suffixes: Sequence[str] = ("",)) -> None:
        """`suffixes` are those of the predictors and of blocks that they share, nothing for that of the mean."""
        self._suffixes = suffixes
        self._taken = {*_KEYWORDS.split(), *_USED.split()}
        own = [f"{form}{suffix}" for form in _BY_PREDICTOR for suffix in suffixes]
        self._taken |= {*own, *(f"{name}_at_mean" for name in own)}

    def take(self, text: str) -> str:
        """Return an identifier like the text that is not taken yet, and take it."""
        return self._take(text, ("{}",))

    def stem(self, text: str) -> str:
        """Return one for a grouping factor, with all that is called after it and the suffixes of predictors."""
        forms = [form.format("{}" + suffix) for form in _BY_BLOCK for suffix in self._suffixes]
        return self._take(text, [*_BY_FACTOR, *forms, *(f"{form}_at_mean" for form in forms)])

    def _take(self, text: str, forms: Sequence[str]) -> str:
        wanted = found = identifier(text)
        number = 1
        while any(form.format(found) in self._taken for form in forms):
            number += 1
            found = f"{wanted}_{number}"
        self._taken |= {form.format(found) for form in forms}
        return found
