import re
import subprocess
from pathlib import Path

import pytest

from hierfit.model.families import FAMILIES
from hierfit.model.priors import DISTRIBUTIONS
from hierfit.stan.programs import all_programs, render_program, template_dir
from hierfit.stan.toolchain import bundled_toolchain

RENDERED = Path(__file__).parents[2] / "stan_models" / "rendered"
# stanc cannot see that these priors are data: distribution and numbers arrive in *_prior and *_prior_arguments.
PRIORS_ARE_DATA = {"theta_std", "partial", "threshold", "horseshoe_global", "z"}


PROGRAMS = {program.name: program for program in all_programs()}


@pytest.mark.parametrize("name", PROGRAMS)
def test_committed_programs_are_what_the_templates_make(name: str) -> None:
    assert (RENDERED / f"{name}.stan").read_text() == PROGRAMS[name].text, "run `make rendered`"


def test_no_program_is_left_over() -> None:
    assert {path.stem for path in RENDERED.glob("*.stan")} == set(PROGRAMS)
    assert {path.name.split(".")[0] for path in (template_dir() / "families").iterdir()} == set(FAMILIES)


# What all share, and a family of each sort; the others with what compiles.
PLAIN = ("gaussian", "gaussian_collapsed", "cumulative", "zero_inflated_negbinomial")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in PLAIN else pytest.mark.stan) for name in PROGRAMS]
)
def test_stanc_accepts_it_without_unexplained_warnings(name: str, tmp_path: Path) -> None:
    program = tmp_path / f"{name}.stan"
    program.write_text(PROGRAMS[name].text)
    command = [bundled_toolchain().stanc, "--warn-pedantic", "--o", tmp_path / "program.cpp", program]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    warnings = re.findall(r"Warning\b(.*?)(?=Warning\b|\Z)", done.stderr, re.DOTALL)
    unexplained = [text for text in warnings if not (_is_about_data_priors(text) or _is_about_branches(text))]
    assert unexplained == []


def _is_about_data_priors(warning: str) -> bool:
    # stanc 2.39 says where before it says what.
    match = re.match(r"(?: in '.*?', line .*?)?:\s+The parameter (\w+) has no priors", warning, re.DOTALL)
    return match is not None and match[1] in PRIORS_ARE_DATA


def _is_about_branches(warning: str) -> bool:
    # One sigma for all rows, or one for each: either statement runs.
    # The first varying column assigns eta, or where there is none the line before does.
    twice = r"parameter\s+y\s+is\s+on\s+the\s+left-hand\s+side\s+of\s+more\s+than\s+one"
    never = r"variable\s+eta\s+may\s+not\s+have\s+been\s+assigned"
    return re.search(f"{twice}|{never}", warning) is not None


def test_the_program_knows_every_distribution_by_its_code() -> None:
    text = render_program("gaussian").text
    for name, distribution in DISTRIBUTIONS.items():
        if distribution.code is not None:
            assert f"(distribution == {distribution.code}) return" in text, name
