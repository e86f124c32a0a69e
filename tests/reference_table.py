"""`python -m tests.reference_table [CASE ...]` fits the reference cases and writes the tables of docs/references.md.

    python -m tests.reference_table --posteriors [CASE ...]     also tests/reference_data/posteriors.csv, before

Without cases, all. The numbers of the others stay. docs/references.md holds two tables between
comments: the models, and the parameters with estimate, posterior mean (sd) by integration, and hierfit's.
"""

import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from hierfit import workflow
from hierfit.posterior.convergence import assess
from hierfit.posterior.digits import decimals, format_number
from tests.importance import Estimate, posterior_moments
from tests.reference_cases import (
    CASES,
    ROOT,
    Published,
    ReferenceCase,
    read_estimates,
    read_posteriors,
    write_posteriors,
)

PAGE = ROOT / "docs" / "references.md"
DRAWS = 20_000


def between(name: str) -> re.Pattern[str]:
    """The lines between `<!-- name -->` and `<!-- /name -->`."""
    return re.compile(rf"(?<=^<!-- {name} -->\n\n).*?(?=\n\n<!-- /{name} -->$)", re.DOTALL | re.MULTILINE)


def rows_between(name: str) -> list[list[str]]:
    """The cells of that table of the page, without its header."""
    found = between(name).search(PAGE.read_text())
    assert found, name
    return [
        [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in found[0].splitlines()[2:]
    ]


def shown_fits() -> dict[tuple[str, str], str]:
    """hierfit's mean (sd) in the page, by case and parameter."""
    return {
        (case.strip("`"), parameter.strip("`")): fit for case, parameter, *_, fit in rows_between("reference numbers")
    }


def model_rows() -> list[list[str]]:
    estimates = read_estimates()
    rows = []
    for case in CASES:
        first = next(iter(estimates[case.name].values()))
        rows.append([f"`{case}`", case.kind, f"`{case.formula}`", case.family, f"{first.software}, {first.method}"])
    return rows


def number_rows(fits: Mapping[tuple[str, str], str]) -> list[list[str]]:
    estimates, posteriors = read_estimates(), read_posteriors()
    return [
        [
            f"`{case}`",
            f"`{parameter}`",
            _estimate_text(estimates[case.name][parameter], posteriors[case.name][parameter]),
            moments_text(posteriors[case.name][parameter].mean, posteriors[case.name][parameter].sd),
            fits[case.name, parameter],
        ]
        for case in CASES
        for parameter in case.shown
    ]


def moments_text(mean: float, sd: float, mcse: float = 0.0) -> str:
    """`251.4 (7.6)`: two digits of the sd, fewer where the Monte Carlo error has a say."""
    places = decimals(sd, mcse)
    return f"{format_number(mean, places)} ({format_number(sd, places)})"


def _estimate_text(published: Published, posterior: Estimate) -> str:
    places = decimals(posterior.sd)
    error = published.standard_error
    return format_number(published.estimate, places) + ("" if error is None else f" ({format_number(error, places)})")


def fitted(case: ReferenceCase, folder: Path) -> workflow.Fit:
    return workflow.fit(workflow.prepare(case.request), folder)


def _fit_texts(case: ReferenceCase) -> dict[tuple[str, str], str]:
    with tempfile.TemporaryDirectory() as folder:
        done = fitted(case, Path(folder) / "run")
    found = {}
    for parameter in case.shown:
        draws = done.draws.of(parameter)
        mcse = float(assess(draws[:, :, np.newaxis]).mcse_mean[0])
        found[case.name, parameter] = moments_text(float(draws.mean()), float(draws.std(ddof=1)), mcse)
    return found


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = [header, ["---"] * len(header), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


MODELS = ("data", "what", "formula", "family", "estimates by")
NUMBERS = ("data", "parameter", "estimate (standard error)", "posterior by integration", "hierfit")


def write_page(fits: Mapping[tuple[str, str], str]) -> None:
    text = PAGE.read_text()
    for name, table in (
        ("reference models", _table(MODELS, model_rows())),
        ("reference numbers", _table(NUMBERS, number_rows(fits))),
    ):
        text = between(name).sub(lambda _, table=table: table, text)
    PAGE.write_text(text)


def main() -> None:
    names = [word for word in sys.argv[1:] if word != "--posteriors"]
    chosen = [case for case in CASES if case.name in names or not names]
    if "--posteriors" in sys.argv[1:]:
        posteriors = read_posteriors()
        for case in chosen:
            found, effective = posterior_moments(case.model(), DRAWS)
            posteriors[case.name] = found
            print(case, f"effective share {effective:.2f}", flush=True)
        write_posteriors(posteriors)
    fits = shown_fits()
    for case in chosen:
        fits |= _fit_texts(case)
        print(case, "fitted", flush=True)
    write_page(fits)


if __name__ == "__main__":
    main()
