"""Models of published data whose estimates others have computed: the cases, and the numbers recorded for them.

`reference_data/estimates.csv` comes from R (`reference_data/estimates.R`), `reference_data/posteriors.csv` from
`tests/importance.py` by way of `python -m tests.reference_table`. A case lays its model out twice: as the formula that
hierfit reads, and by hand. Sources and tolerances: `reference_data/README.md`.
"""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hierfit.model.formula_text import parse_formula
from hierfit.model.request import FitRequest
from hierfit.model.roles import NO_ROLES, Roles
from hierfit.sampling import SamplerOptions
from tests.importance import Estimate, Factor, Model

ROOT = Path(__file__).parents[1]
FOLDER = Path(__file__).parent / "reference_data"
POSTERIORS = FOLDER / "posteriors.csv"
MOMENTS = ("mean", "sd", "mean_error", "sd_error")
Array = NDArray[np.float64]


class Columns:
    """A CSV read without hierfit."""

    def __init__(self, path: Path) -> None:
        with path.open(newline="") as file:
            self._rows = list(csv.DictReader(file))

    def __getitem__(self, name: str) -> Array:
        return np.array([float(row[name]) for row in self._rows])

    def equal(self, name: str, level: str) -> Array:
        """1.0 where the column holds that level."""
        return np.array([float(row[name] == level) for row in self._rows])

    def factor(self, *names: str, slope: str | None = None) -> Factor:
        """The labels, or the combinations of labels, as numbers."""
        labels = ["|".join(row[name] for name in names) for row in self._rows]
        return Factor(np.unique(labels, return_inverse=True)[1], slope)


@dataclass(frozen=True)
class ReferenceCase:
    """A data set, its model in hierfit's words, and the same by hand.

    Attributes:
        name: that of `estimates.csv` and `posteriors.csv`, and of the CSV unless `data` says otherwise.
        formula: what hierfit reads.
        x, factors: predictors and grouping factors by the names that hierfit prints.
        kind: what the table of docs/references.md says of the data.
        shown: the parameters in that table.
        gamma_priors: shape and rate of the priors that are not hierfit's default.
        predictors: what other parameters than the mean depend on.
        skewed: whether coefficients are compared as other parameters are, a mean against a peak.
        adapt_delta: larger where the default leaves divergences.
    """

    name: str
    formula: str
    x: Callable[[Columns], Mapping[str, Array]]
    factors: Callable[[Columns], Mapping[str, Factor]]
    family: str = "gaussian"
    roles: Roles = NO_ROLES
    data: Path | None = None
    kind: str = ""
    shown: tuple[str, ...] = ()
    gamma_priors: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    adapt_delta: float = 0.8
    predictors: Callable[[Columns], Mapping[str, Mapping[str, Array]]] = lambda columns: {}
    skewed: bool = False

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> Path:
        return self.data or FOLDER / f"{self.name}.csv"

    @property
    def request(self) -> FitRequest:
        return FitRequest(
            self.path,
            parse_formula(self.formula),
            priors=tuple(f"{name} ~ gamma({a}, {b})" for name, (a, b) in self.gamma_priors.items()),
            family=self.family,
            roles=self.roles,
            sampler=SamplerOptions(warmup=500, draws=500, seed=1, adapt_delta=self.adapt_delta),
        )

    def model(self) -> Model:
        columns = Columns(self.path)
        return Model(
            self.family,
            columns[self.formula.split(" ~ ")[0]],
            self.x(columns),
            self.factors(columns),
            None if self.roles.trials is None else columns[self.roles.trials],
            None if self.roles.offset is None else columns[self.roles.offset],
            self.gamma_priors,
            self.predictors(columns),
        )


def _nothing(columns: Columns) -> Mapping[str, Array]:
    return {}


def _seeds(c: Columns) -> Mapping[str, Array]:
    a73, cucumber = c.equal("variety", "a73"), c.equal("extract", "cucumber")
    return {"variety[a73]": a73, "extract[cucumber]": cucumber, "variety[a73]:extract[cucumber]": a73 * cucumber}


def _epilepsy(c: Columns) -> Mapping[str, Array]:
    base, progabide = np.log(c["base"]), c.equal("treatment", "progabide")
    return {
        "log(base)": base,
        "treatment[progabide]": progabide,
        "log(base):treatment[progabide]": base * progabide,
        "log(age)": np.log(c["age"]),
        "I(visit > 3)": (c["visit"] > 3).astype(float),
    }


def _growth(c: Columns) -> Mapping[str, Array]:
    girl = c.equal("sex", "girl")
    return {"age": c["age"], "sex[girl]": girl, "age:sex[girl]": c["age"] * girl}


SEEDS = {"x": _seeds, "roles": Roles(trials="seeds", references={"variety": "a75"}), "data": FOLDER / "seeds.csv"}
EPILEPSY = {
    "formula": "seizures ~ log(base) * treatment + log(age) + I(visit > 3) + (1 | patient)",
    "x": _epilepsy,
    "factors": lambda c: {"patient": c.factor("patient")},
    "roles": Roles(references={"treatment": "placebo"}),
    "data": FOLDER / "epilepsy.csv",
}
GROWTH = {
    "formula": "distance ~ age * sex + (1 | child)",
    "x": _growth,
    "factors": lambda c: {"child": c.factor("child")},
    "data": FOLDER / "orthodont.csv",
}
CASES = [
    ReferenceCase(
        "rats",
        "weight ~ day + (1 + day | rat)",
        lambda c: {"day": c["day"]},
        lambda c: {"rat": c.factor("rat", slope="day")},
        data=ROOT / "sample_data" / "rats.csv",
        kind="30 rats on 5 days: slopes vary",
        shown=("Intercept", "day", "sd(rat)", "sd(rat: day)", "cor(rat: Intercept, day)", "sigma"),
    ),
    ReferenceCase(
        "dyestuff",
        "yield ~ 1 + (1 | batch)",
        _nothing,
        lambda c: {"batch": c.factor("batch")},
        data=ROOT / "sample_data" / "dyestuff.csv",
        kind="6 batches",
        shown=("Intercept", "sd(batch)", "sigma"),
    ),
    ReferenceCase(
        "sleepstudy",
        "reaction ~ days + (1 + days | subject)",
        lambda c: {"days": c["days"]},
        lambda c: {"subject": c.factor("subject", slope="days")},
        kind="18 people on 10 days: slopes vary",
        shown=("Intercept", "days", "sd(subject)", "sd(subject: days)", "cor(subject: Intercept, days)", "sigma"),
    ),
    ReferenceCase(
        "penicillin",
        "diameter ~ 1 + (1 | plate) + (1 | sample)",
        _nothing,
        lambda c: {"plate": c.factor("plate"), "sample": c.factor("sample")},
        kind="24 plates crossed with 6 samples",
        shown=("Intercept", "sd(plate)", "sd(sample)", "sigma"),
    ),
    ReferenceCase(
        "oats",
        "yield ~ nitrogen + variety + (1 | block/variety)",
        lambda c: {
            "nitrogen": c["nitrogen"],
            "variety[marvellous]": c.equal("variety", "marvellous"),
            "variety[victory]": c.equal("variety", "victory"),
        },
        lambda c: {"block": c.factor("block"), "block:variety": c.factor("block", "variety")},
        kind="split plot: 3 plots in each of 6 blocks",
        shown=("nitrogen", "variety[victory]", "sd(block)", "sd(block:variety)", "sigma"),
        adapt_delta=0.95,
    ),
    ReferenceCase(
        "orthodont", **GROWTH, kind="27 children at 4 ages", shown=("age", "age:sex[girl]", "sd(child)", "sigma")
    ),
    ReferenceCase(
        "orthodont_student",
        **GROWTH,
        family="student",
        kind="the same, heavy tails",
        shown=("age", "age:sex[girl]", "sd(child)", "sigma", "nu"),
    ),
    ReferenceCase(
        "orthodont_sigma",
        **{**GROWTH, "formula": f"{GROWTH['formula']}; sigma ~ sex"},
        kind="the same, sigma by sex",
        shown=("age", "sd(child)", "sigma_Intercept", "sigma_sex[girl]"),
        predictors=lambda c: {"sigma": {"sex[girl]": c.equal("sex", "girl")}},
        skewed=True,
    ),
    ReferenceCase(
        "seeds",
        "germinated ~ variety * extract + (1 | plate)",
        factors=lambda c: {"plate": c.factor("plate")},
        family="binomial",
        kind="21 plates in a 2 x 2 layout",
        shown=("variety[a73]", "extract[cucumber]", "sd(plate)"),
        **SEEDS,
    ),
    ReferenceCase(
        "seeds_beta_binomial",
        "germinated ~ variety * extract",
        factors=_nothing,
        family="beta_binomial",
        **SEEDS,
        kind="the same, without groups; phi ~ gamma(0.01, 0.01)",
        shown=("variety[a73]", "extract[cucumber]", "phi"),
        gamma_priors={"phi": (0.01, 0.01)},
    ),
    ReferenceCase(
        "cbpp",
        "cases ~ C(period) + (1 | herd)",
        lambda c: {f"C(period)[{period}]": c.equal("period", period) for period in "234"},
        lambda c: {"herd": c.factor("herd")},
        "binomial",
        Roles(trials="animals"),
        kind="56 samples of 15 herds",
        shown=("Intercept", "C(period)[4]", "sd(herd)"),
    ),
    ReferenceCase(
        "wheeze",
        "wheeze ~ age + smoker + (1 | child)",
        lambda c: {"age": c["age"], "smoker": c["smoker"]},
        lambda c: {"child": c.factor("child")},
        "bernoulli",
        kind="537 children at 4 ages",
        shown=("age", "smoker", "sd(child)"),
    ),
    ReferenceCase(
        "epilepsy",
        **EPILEPSY,
        family="poisson",
        kind="59 patients at 4 visits",
        shown=("treatment[progabide]", "I(visit > 3)", "sd(patient)"),
    ),
    ReferenceCase(
        "epilepsy_negbinomial",
        **EPILEPSY,
        family="negbinomial",
        kind="the same, overdispersed",
        shown=("treatment[progabide]", "I(visit > 3)", "sd(patient)", "shape"),
    ),
    ReferenceCase(
        "pumps",
        "failures ~ 1 + (1 | pump)",
        _nothing,
        lambda c: {"pump": c.factor("pump")},
        "poisson",
        Roles(offset="log_hours"),
        kind="10 pumps, hours of operation as offset",
        shown=("Intercept", "sd(pump)"),
    ),
    ReferenceCase(
        "gasoline",
        "share ~ temperature + (1 | crude)",
        lambda c: {"temperature": c["temperature"]},
        lambda c: {"crude": c.factor("crude")},
        "beta",
        kind="shares of gasoline from 10 crudes",
        shown=("temperature", "sd(crude)", "phi"),
    ),
    ReferenceCase(
        "salamanders",
        "count ~ species + mined + (1 | site)",
        lambda c: {
            **{f"species[{name}]": c.equal("species", name) for name in ("DF", "DM", "EC-A", "EC-L", "GP", "PR")},
            "mined[yes]": c.equal("mined", "yes"),
        },
        lambda c: {"site": c.factor("site")},
        "zero_inflated_poisson",
        kind="counts at 23 streams, many zeros",
        shown=("Intercept", "mined[yes]", "sd(site)", "zi"),
    ),
    ReferenceCase(
        "salamanders_zi",
        "count ~ mined + (1 | site); zi ~ mined",
        lambda c: {"mined[yes]": c.equal("mined", "yes")},
        lambda c: {"site": c.factor("site")},
        "zero_inflated_poisson",
        data=FOLDER / "salamanders.csv",
        kind="the same, the share of zeros by mining",
        shown=("mined[yes]", "sd(site)", "zi_Intercept", "zi_mined[yes]"),
        predictors=lambda c: {"zi": {"mined[yes]": c.equal("mined", "yes")}},
        skewed=True,
    ),
    ReferenceCase(
        "wine",
        "bitterness ~ temperature + contact + (1 | judge)",
        lambda c: {
            "temperature[warm]": c.equal("temperature", "warm"),
            "contact[yes]": c.equal("contact", "yes"),
        },
        lambda c: {"judge": c.factor("judge")},
        "cumulative",
        kind="bitterness in 5 grades by 9 judges",
        shown=("threshold[1|2]", "temperature[warm]", "contact[yes]", "sd(judge)"),
    ),
]


def write_posteriors(found: Mapping[str, Mapping[str, Estimate]]) -> None:
    with POSTERIORS.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["case", "parameter", *MOMENTS])
        for case in CASES:
            for name, estimate in found[case.name].items():
                writer.writerow([case.name, name, *(f"{getattr(estimate, moment):.6g}" for moment in MOMENTS)])


def read_posteriors() -> dict[str, dict[str, Estimate]]:
    """Posterior means and sds without sampling by Markov chain, by case and parameter."""
    found: dict[str, dict[str, Estimate]] = {}
    for row in _rows_of(POSTERIORS):
        found.setdefault(row["case"], {})[row["parameter"]] = Estimate(*(float(row[moment]) for moment in MOMENTS))
    return found


@dataclass(frozen=True)
class Published:
    """An estimate of another program, its standard error where it gives one, and how it was found."""

    estimate: float
    standard_error: float | None
    software: str
    method: str


def read_estimates() -> dict[str, dict[str, Published]]:
    """Estimates from R, by case and parameter."""
    found: dict[str, dict[str, Published]] = {}
    for row in _rows_of(FOLDER / "estimates.csv"):
        error = float(row["standard_error"]) if row["standard_error"] else None
        published = Published(float(row["estimate"]), error, row["software"], row["method"])
        found.setdefault(row["case"], {})[row["parameter"]] = published
    return found


def _rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def misses(
    published: Published, mean: float, sd: float, errors: tuple[float, float] = (0.0, 0.0), *, skewed: bool = False
) -> list[str]:
    """How a posterior mean and sd fall outside the tolerances of reference_data/README.md.

    `errors` are what Monte Carlo may add to the distances of mean and sd; `skewed` is as in a ReferenceCase.
    """
    coefficient = published.standard_error is not None
    least, most = (-0.15, 0.15) if coefficient and not skewed else (-0.75, 0.9)
    found = []
    if not least * sd - errors[0] < mean - published.estimate < most * sd + errors[0]:
        found.append(f"mean {mean:.4g} with sd {sd:.3g}, estimate {published.estimate:.4g}")
    error = published.standard_error
    widest = 1.6 if skewed else 1.35
    if error is not None and not 0.95 * error - errors[1] < sd < widest * error + errors[1]:
        found.append(f"sd {sd:.3g}, standard error {error:.3g}")
    return found
