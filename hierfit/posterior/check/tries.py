"""A misfit -> commands that answer to it, which work as they stand; none where there is no such model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hierfit.design.design import Design
from hierfit.model.families import FAMILIES
from hierfit.model.priors import DISTRIBUTIONS, Prior
from hierfit.model.spec import ModelSpec
from hierfit.visible import shell_word

# Families with one more parameter, for what the first cannot say.
MORE_SCATTER = {
    "poisson": "negbinomial",
    "zero_inflated_poisson": "zero_inflated_negbinomial",
    "hurdle_poisson": "hurdle_negbinomial",
    "binomial": "beta_binomial",
}
MORE_ZEROS = {"poisson": "zero_inflated_poisson", "negbinomial": "zero_inflated_negbinomial"}
FEWER_ZEROS = {"poisson": "hurdle_poisson", "negbinomial": "hurdle_negbinomial"}
HEAVIER_TAILS = {"gaussian": "student"}
SKEWED = {"gaussian": "lognormal", "student": "lognormal"}
WIDENED = ("normal", "student_t", "cauchy", "laplace", "logistic", "exponential", "lognormal")
SCATTERS = ("sigma", "shape", "phi")


@dataclass(frozen=True)
class Tries:
    """What can be tried instead of a run's model.

    Attributes:
        run: the run, as it is typed.
        design, spec: its model.
    """

    run: str
    design: Design
    spec: ModelSpec

    def families(self, *tables: dict[str, str]) -> tuple[str, ...]:
        """Return commands that fit the model with the families that stand in the tables beside its own."""
        found = [table[self.spec.family] for table in tables if self.spec.family in table]
        able = [name for name in found if self.spec.link in FAMILIES[name].links]
        return tuple(self._fit(f"--family {name}") for name in able)

    def skewed(self) -> tuple[str, ...]:
        """Return a command that fits a distribution with a long tail above, where all outcomes are above 0."""
        return self.families(SKEWED) if self.design.y.min() > 0 else ()

    def curve(self, column: str) -> tuple[str, ...]:
        """Return a command that gives a numeric predictor a curve, where it is a term by itself."""
        formula = self.spec.formula
        if column not in formula.terms:
            return ()
        terms = tuple(f"poly({term}, 2)" if term == column else term for term in formula.terms)
        return (self._fit(f"--formula {shell_word(str(replace(formula, terms=terms)))}"),)

    def scatter(self, column: str) -> tuple[str, ...]:
        """Return a command that lets the scatter of outcomes differ along a column."""
        names = [auxiliary.name for auxiliary in self.spec.auxiliaries if auxiliary.name in SCATTERS]
        return (self._fit(f"--{names[0]} {shell_word(column)}"),) if names else ()

    def wider_priors(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return a command that doubles the scale of the priors of these parameters, as far as they have their own."""
        wider = []
        for name, prior in self.spec.priors.items():
            if self.spec.speaks_of(name) in names and prior.distribution in WIDENED:
                wider.append(f"{name} ~ {_wider(prior)}")
        return (self._fit(" ".join(f"--prior {shell_word(text)}" for text in wider)),) if wider else ()

    def _fit(self, options: str) -> str:
        return f"hierfit fit --from {shell_word(self.run)} {options}"


def _wider(prior: Prior) -> Prior:
    """Return a prior at the same place with twice the scale."""
    by = {"sigma": 2.0, "scale": 2.0, "rate": 0.5}
    names = DISTRIBUTIONS[prior.distribution].arguments
    numbers = (number * by.get(name, 1.0) for name, number in zip(names, prior.arguments, strict=True))
    return replace(prior, arguments=tuple(numbers))
