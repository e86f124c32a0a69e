"""Template and family -> StanProgram: the text of a whole Stan program and the name it is built under.

One program per family serves every formula, because the formula is data (`stan.data`). The rendered programs are
committed under `stan_models/rendered/` to be read and reviewed; a test compares them with what `render_program`
makes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from hierfit.model.families import FAMILIES
from hierfit.model.priors import DISTRIBUTIONS

if TYPE_CHECKING:
    import jinja2

COLLAPSED_FAMILY = "gaussian"  # whose program all collapsible outcomes share: each on its linear scale

# How each prior is written in Stan: x is the parameter, a its numbers in the order of DISTRIBUTIONS.
STAN_DENSITY = {
    "normal": "normal_lpdf(x | a[1], a[2])",
    "student_t": "student_t_lpdf(x | a[1], a[2], a[3])",
    "cauchy": "cauchy_lpdf(x | a[1], a[2])",
    "laplace": "double_exponential_lpdf(x | a[1], a[2])",
    "logistic": "logistic_lpdf(x | a[1], a[2])",
    "lognormal": "lognormal_lpdf(x | a[1], a[2])",
    "exponential": "exponential_lpdf(x | a[1])",
    "gamma": "gamma_lpdf(x | a[1], a[2])",
    "inv_gamma": "inv_gamma_lpdf(x | a[1], a[2])",
    "beta": "beta_lpdf(x | a[1], a[2])",
}

# Log probability of success (else of failure) under each link, in Stan.
STAN_LOG_PROBABILITY = {
    "logit": "log_inv_logit(success ? eta : -eta)",
    "probit": "std_normal_lcdf(success ? eta : -eta | )",
    "cloglog": "success ? log1m_exp(-exp(eta)) : -exp(eta)",
}


@dataclass(frozen=True)
class StanProgram:
    """One whole Stan program.

    Attributes:
        name: a valid file stem, such as "gaussian".
        text: the program.
    """

    name: str
    text: str

    @property
    def digest(self) -> str:
        """Hex SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def render_program(family: str, *, collapsed: bool = False) -> StanProgram:
    """Return the program of one family, rendered from the templates: of all effects, or with these integrated out."""
    codes = {name: kind.code for name, kind in DISTRIBUTIONS.items() if kind.code is not None}
    template = templates().get_template("glmm.stan.j2")
    text = template.render(
        family=FAMILIES[family],
        engine="collapsed" if collapsed else "full",
        infinity=inf,
        distributions=codes,
        stan_density=STAN_DENSITY,
        stan_log_probability=STAN_LOG_PROBABILITY,
    )
    return StanProgram(f"{family}_collapsed" if collapsed else family, text)


@lru_cache
def templates() -> jinja2.Environment:
    """Return what renders the templates, each read once."""
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(template_dir()),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )


def all_programs() -> Iterator[StanProgram]:
    """Yield every program that hierfit can run."""
    for family in FAMILIES.values():
        yield render_program(family.name)
    yield render_program(COLLAPSED_FAMILY, collapsed=True)


def write_rendered(folder: Path) -> None:
    """Write every program to `folder` (`make rendered`)."""
    for program in all_programs():
        (folder / f"{program.name}.stan").write_text(program.text)


def template_dir() -> Path:
    """Return the folder of the templates: inside an installed package, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "stan_models"
    return installed if installed.is_dir() else package.parent / "stan_models"
