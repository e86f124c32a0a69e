"""The documents say what is so: commands parse and run, files exist, quoted numbers are those that come out.

Numbers are compared within Monte Carlo error, so that another machine or Stan may draw other draws: two independent
posterior summaries differ with sd sqrt(2) MCSE, ArviZ computes the MCSE of means, sds and quantiles, and `SIGMAS` of
that, plus half a unit of the last digit shown, is allowed. Some 150 numbers are compared, none of which then fails by
chance more than once in 10,000 runs.
"""

from __future__ import annotations

import csv
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer

from hierfit import __version__
from hierfit.cli.app import app, main
from hierfit.design.prior_choice import PRIOR_CLASSES
from hierfit.errors import ExitCode
from hierfit.model.contrasts import CHOICES
from hierfit.model.families import FAMILIES
from hierfit.model.formula import formula_from_flags
from hierfit.model.formula_text import parse_formula
from hierfit.model.priors import DISTRIBUTIONS
from hierfit.model.term_checks import NUMPY_FUNCTIONS, TRANSFORMS
from hierfit.runs import finished
from tests.fake_sampling import replace_sampler
from tests.references import Moments, tutorial_one, tutorial_two
from tests.render import (
    COMMANDS,
    DOCUMENTS,
    FAMILIES_PAGE,
    LAPLACE,
    ROOT,
    WALKS,
    commands_in,
    commands_text,
    draws_of,
    families_page,
    parameter_of,
    run_again,
    run_command,
    skeleton,
    workplace,
)

SIGMAS = 5
FORMULAS = ROOT / "docs" / "formulas.md"
MODELS = ROOT / "docs" / "models.md"
SIMULATING = ROOT / "docs" / "simulate.md"
README, TUTORIALS, SAMPLES = ROOT / "README.md", ROOT / "docs" / "tutorials.md", ROOT / "sample_data" / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", SAMPLES, *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# Of each walk, how many rows of fits' tables, and how many estimates in all, are compared.
COMPARED = {"walk-ecology": (7, 17), "walk-education": (14, 27), "walk-medicine": (6, 24), "walk-psychology": (11, 27)}
FOLDERS = ("bench", "docs", "hierfit", "sample_data", "stan_models", "tests")


def page_id(path: Path) -> str:
    return str(path.relative_to(ROOT))


def group() -> Any:
    return typer.main.get_command(app)


def words(command: str) -> list[str]:
    """The arguments of the first program of a command line, comment, pipe and redirection left out."""
    lexer = shlex.shlex(command.replace("\\\n", " "), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    found = list(lexer)
    ends = [i for i, word in enumerate(found) if word in ("|", ">", "&&", ";")]
    return found[: ends[0]] if ends else found


def hierfit_commands(path: Path) -> list[list[str]]:
    """The arguments of the hierfit commands of a page."""
    return [words(command)[1:] for command, _ in commands_in(path.read_text()) if command.startswith("hierfit ")]


# What is written down agrees with the code.


def test_the_commands_page_is_what_the_program_says() -> None:
    assert COMMANDS.read_text() == commands_text(), "run `make rendered`"


def test_the_commands_page_has_every_command_and_option() -> None:
    text = COMMANDS.read_text()
    for name, command in group().commands.items():
        section = text.partition(f"## hierfit {name}\n")[2].partition("\n## ")[0]
        assert section, name
        for parameter in command.params:
            for written in parameter.opts if parameter.opts[0].startswith("-") else ():
                assert re.search(rf"^(.*, )?{written}\b", section, re.MULTILINE), (name, written)


def test_every_option_has_a_help_text() -> None:
    for name, command in group().commands.items():
        assert command.help, name
        assert [parameter.name for parameter in command.params if not parameter.help] == [], name


@pytest.mark.parametrize("path", PAGES, ids=page_id)
def test_commands_parse(path: Path) -> None:
    for name, *arguments in hierfit_commands(path):
        if name.startswith("-"):
            continue
        assert name in group().commands, name
        group().commands[name].make_context(f"hierfit {name}", [*arguments])  # raises where an option is unknown


def test_the_parse_notices_what_does_not_exist() -> None:
    with pytest.raises(Exception, match="--grup"):
        group().commands["fit"].make_context("hierfit fit", ["a.csv", "--y", "b", "--grup", "c"])


@pytest.mark.parametrize("path", PAGES, ids=page_id)
def test_options_named_in_the_text_exist(path: Path) -> None:
    text = FENCE.sub("", path.read_text())
    commands = group().commands.items()
    known = {name: {o for p in command.params for o in (*p.opts, *p.secondary_opts)} for name, command in commands}
    every = set().union(*known.values(), *(p.opts for p in group().params)) | {"--help", "--outputs"}
    for code in re.findall(r"`([^`]+)`", text):
        command = re.match(r"hierfit ([a-z]\S*)", code)
        if command:
            assert command[1] in known, code
        allowed = known[command[1]] | {"--help"} if command else every
        assert set(re.findall(r"(?<!\S)--[a-z][a-z-]*", code)) - {"--family"} <= allowed, code


@pytest.mark.parametrize("path", PAGES, ids=page_id)
def test_links_lead_somewhere(path: Path) -> None:
    text = FENCE.sub("", path.read_text())
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        assert target.startswith("https://") or (path.parent / target).exists(), target


@pytest.mark.parametrize("path", PAGES, ids=page_id)
def test_files_of_the_repository_exist(path: Path) -> None:
    for name in re.findall(r"`([\w./-]+)`", path.read_text()):
        if name.split("/")[0] in FOLDERS and "/" in name:
            assert (ROOT / name).exists(), name
    for command in hierfit_commands(path):
        for word in command:
            assert not word.startswith("sample_data/") or (ROOT / word).exists(), word


@pytest.mark.parametrize("path", PAGES, ids=page_id)
def test_make_targets_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)\b", path.read_text(), re.MULTILINE))
    assert named <= targets
    assert path != README or {"demo", "test"} <= named


def first_cells(path: Path, heading: str) -> list[str]:
    """The code in the first column of every table row of a section."""
    section = path.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("|")]
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


def test_the_table_of_distributions_is_complete() -> None:
    expected = [f"{name}({', '.join(kind.arguments)})" for name, kind in DISTRIBUTIONS.items()]
    shown = first_cells(ROOT / "docs" / "models.md", "Setting priors")
    assert [name for name in shown if "(" in name and name.split("(")[0] in DISTRIBUTIONS] == expected


@pytest.mark.parametrize("path", [README, ROOT / "docs" / "run-folder.md"], ids=page_id)
def test_the_exit_codes_are_those_of_the_program(path: Path) -> None:
    section = path.read_text().partition("\n## Exit codes\n")[2]
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", section, re.MULTILINE)] == sorted(ExitCode)


def test_the_changelog_begins_with_unreleased_and_knows_this_version() -> None:
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert __version__ in headings


# Formulas, families and options: every construct has an example, and every example works.


def section_rows(path: Path, heading: str) -> list[list[str]]:
    """The cells of the table of a section, header and rule left out, `\\|` as `|`."""
    section = path.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip().replace("\\|", "|") for cell in row] for row in rows[2:]]


def code(cell: str) -> str:
    """The text between the backticks of a cell; doubled where the code holds some."""
    found = re.fullmatch(r"(`+) ?(.*?) ?\1", cell)
    assert found, cell
    return found[2]


@pytest.mark.parametrize("heading", ["Predictors", "Groups"])
def test_formulas_are_read_as_stated(heading: str) -> None:
    rows = section_rows(FORMULAS, heading)
    assert len(rows) > 10
    for short, full, *_ in rows:
        assert str(parse_formula(code(short))) == code(full)


def test_flags_make_the_formulas_beside_them() -> None:
    rows = section_rows(FORMULAS, "Flags instead")
    assert len(rows) >= 8
    for flags, full in rows:
        given = group().commands["fit"].make_context("fit", ["pupils.csv", *shlex.split(code(flags))]).params
        formula = formula_from_flags(
            given["y"],
            given["x"] or (),
            given["group"],
            given["slope"] or (),
            varying_intercept=not given["no_varying_intercept"],
            correlated=not given["uncorrelated"],
        )
        assert str(formula) == code(full)


def test_the_formulas_page_names_every_function() -> None:
    shown = " ".join(re.findall(r"`([^`]+)`", FENCE.sub("", FORMULAS.read_text())))
    assert set(re.findall(r"\w+", shown)) >= {*TRANSFORMS, *NUMPY_FUNCTIONS}


def test_every_option_of_a_fit_has_an_example() -> None:
    rows = section_rows(FORMULAS, "Every option of a fit")
    options = [parameter.opts[0] for parameter in group().commands["fit"].params if parameter.opts[0].startswith("--")]
    assert [code(name) for name, *_ in rows] == options
    for name, what, example in rows:
        assert what and code(name) in shlex.split(code(example)), name


def test_the_table_of_families_is_that_of_the_program() -> None:
    assert FAMILIES_PAGE.read_text() == families_page(), "run `make rendered`"


def test_every_family_and_link_has_an_example() -> None:
    shown = set()
    for command in hierfit_commands(FAMILIES_PAGE):
        given = group().commands["fit"].make_context("fit", command[1:]).params
        shown.add((given["family"], given["link"] or FAMILIES[given["family"]].link))
    assert shown == {(family.name, link) for family in FAMILIES.values() for link in family.links}


def test_every_auxiliary_is_explained() -> None:
    names = {auxiliary.name for family in FAMILIES.values() for auxiliary in family.auxiliaries}
    assert {code(name) for name, _ in section_rows(FAMILIES_PAGE, "Auxiliary parameters")} == names


def simulate_examples() -> list[list[str]]:
    """The commands of the page on simulating but those that need a run, or only list."""
    examples = [words(code(row[2]))[1:] for row in section_rows(SIMULATING, "From a formula")]
    return [
        command
        for command in [*hierfit_commands(SIMULATING), *examples]
        if "--from" not in command and "--list" not in command
    ]


def write_pupils(folder: Path) -> None:
    """Write the pupils.csv that the pages speak of."""
    rng, n = np.random.default_rng(1), 60
    columns = {
        "score": rng.normal(50, 10, n).round(2),
        "ses": rng.normal(0, 1, n).round(3),
        "age": rng.uniform(8, 16, n).round(2),
        "family income": rng.uniform(1, 9, n).round(2),
        "grade": np.arange(n) % 4 + 1,
        "sector": np.array(["Public", "Church", "Private"])[np.arange(n) % 3],
        "support": np.array(["mid", "high", "low"])[np.arange(n) // 2 % 3],
        "income": np.array(["1,000 or more", "under 1,000"])[np.arange(n) // 5 % 2],
        "school": np.arange(n) % 10,
        "district": np.arange(n) % 10 // 3,
        "class": np.arange(n) // 10 % 2,
        "teacher": np.arange(n) // 4 % 7,
        "passed": np.array(["yes", "no"])[rng.integers(0, 2, n)],
        "absences": rng.poisson(3, n),
        "correct": rng.integers(0, 11, n),
        "items": np.full(n, 10),
        "share": rng.uniform(0.05, 0.95, n).round(3),
        "minutes": rng.gamma(3, 10, n).round(2),
        "log_days": np.log(rng.integers(100, 190, n)).round(4),
        "copies": rng.integers(1, 4, n),
    }
    with (folder / "pupils.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))


@pytest.mark.parametrize("path", [FORMULAS, FAMILIES_PAGE], ids=page_id)
def test_the_examples_can_be_fitted(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything but the sampling: data, model and priors."""
    write_pupils(tmp_path)
    monkeypatch.chdir(tmp_path)
    examples = [*hierfit_commands(path)]
    if path == FORMULAS:
        examples += [words(code(row[2]))[1:] for row in section_rows(path, "Every option of a fit")]
        formulas = [code(row[0]) for heading in ("Predictors", "Groups") for row in section_rows(path, heading)]
        examples += [["fit", "pupils.csv", "--formula", formula] for formula in formulas]
        examples += [["fit", "pupils.csv", *shlex.split(code(row[0]))] for row in section_rows(path, "Flags instead")]
    assert len(examples) > 10
    for name, *arguments in examples:
        assert name == "fit"
        if "--from" not in arguments:
            with pytest.raises(SystemExit) as left:
                main([name, *arguments, "--dry-run"])
            assert left.value.code == 0, arguments


def dry_run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What a fit says before it samples, or `priors`."""
    with pytest.raises(SystemExit) as left:
        main([*arguments, *(["--dry-run"] if arguments[0] == "fit" else [])])
    said = capsys.readouterr()
    assert left.value.code == 0, said.err
    return said.out


def test_the_examples_of_extending_a_run_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pupils(tmp_path)
    monkeypatch.chdir(tmp_path)
    replace_sampler(monkeypatch)
    extending = [command for command in hierfit_commands(MODELS) if command[0] == "extend"]
    first = ["fit", "pupils.csv", "--y", "score", "--x", "ses", "--group", "school", "--engine", "full"]
    for command in ([*first, "--out", "runs/first", "--quiet"], *extending):
        with pytest.raises(SystemExit) as left:
            main(command)
        assert left.value.code == 0, capsys.readouterr().err
    assert len(extending) == 2
    rounds = json.loads(Path("runs/first/run.json").read_text())
    assert rounds["rounds"] > 2 and rounds["draws_per_chain"] == 1000 * (rounds["rounds"] - 1) + 2000


def test_the_examples_of_models_can_be_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pupils(tmp_path)
    monkeypatch.chdir(tmp_path)
    commands = [command for command in hierfit_commands(MODELS) if command[0] != "extend"]
    said = [dry_run(command, capsys) for command in commands]
    classes, standard = (text for command, text in zip(commands, said, strict=True) if "b ~ normal(0, 5)" in command)
    # a class sets the priors of all its members but those with a prior of their own
    assert dict(re.findall(r"^  (\S.*?) +~ (.*?) +set by --prior(?:; at the .*)?$", classes, re.MULTILINE)) == {
        "age": "normal(2, 1)", "ses": "normal(0, 5)", "sd(school)": "exponential(0.2)",
        "sd(school: ses)": "exponential(0.2)", "cor(school)": "lkj(2)",
    }  # fmt: skip
    assert re.search(
        r"^  sd\(school\) +~ exponential\(0\.2\) +set by --prior; at the mean of what varies with the intercept$",
        standard,
        re.MULTILINE,
    )
    shrunk = said[commands.index(next(command for command in commands if "ses ~ normal(0, 5)" in command))]
    # 2 of the 5 that have no prior of their own, 60 rows
    scale = re.search(r"^  horseshoe_scale +~ cauchy\(0, (\S+)\) .*; its positive half$", shrunk, re.MULTILINE)
    assert scale and float(scale[1]) == pytest.approx(2 / 3 / 60**0.5, rel=1e-3)
    assert re.search(r"^  ses +~ normal\(0, 5\) +set by --prior$", shrunk, re.MULTILINE)
    carried = re.findall(r"^  (\S.*?) +~ .* set by --prior: (.*)$", standard, re.MULTILINE)
    assert dict(carried) == {
        "age": "normal(0, 5) per sd of age", "ses": "normal(0, 5) per sd of ses",
        "sd(school: ses)": "exponential(0.2) per sd of ses",
    }  # fmt: skip


def test_every_class_of_priors_is_documented() -> None:
    names = first_cells(MODELS, "Setting priors")
    assert set(PRIOR_CLASSES) <= set(names)


def test_the_examples_of_levels_come_in_that_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pupils(tmp_path)
    monkeypatch.chdir(tmp_path)
    section = FORMULAS.read_text().partition("\n## Order of levels\n")[2].partition("\n## ")[0]
    said = [dry_run(words(command)[1:], capsys) for command, _ in commands_in(section)]
    names = [re.findall(r"^  (\S+\[.+?\]) +~", text, re.MULTILINE) for text in said]
    assert names == [
        ["support[mid]", "support[high]"],
        ["C(grade)[3]", "C(grade)[2]", "C(grade)[1]", "support[low]", "support[high]"],
        [],
        ["income[1,000 or more]"],
    ]
    assert "support: low < mid < high, compared with low" in said[0]
    assert "passed: the probability of yes (against no)" in said[2]


def test_each_kind_of_contrasts_has_the_names_and_the_file_the_form_that_are_said_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pupils(tmp_path)
    monkeypatch.chdir(tmp_path)
    section = FORMULAS.read_text().partition("\n## Contrasts\n")[2].partition("\n## ")[0]
    (tmp_path / "coding.csv").write_text(section.partition("```text\n")[2].partition("```")[0])
    rows = section_rows(FORMULAS, "Contrasts")
    assert [code(row[0]) for row in rows] == [*CHOICES, "coding.csv"]
    fit = words('hierfit fit pupils.csv --formula "score ~ support + (1 | school)" --levels support=low,mid,high')[1:]
    for kind, named, *_ in rows:
        text = dry_run([*fit, "--contrasts", f"support={code(kind)}"], capsys)
        said = re.findall(r"^  (\S+\[.+?\]) +~", text, re.MULTILINE)
        assert said == (
            re.findall(r"`(.+?)`", named) if "NAME" not in named else ["support[some_vs_none]", "support[high_vs_mid]"]
        )
    commands = [dry_run(words(command)[1:], capsys) for command, _ in commands_in(section) if "RUN" not in command]
    assert len(commands) == 2 and "support: polynomial contrasts over low < mid < high" in commands[0]
    assert "support[S.low]:ses" in commands[1]


@pytest.mark.parametrize("command", simulate_examples())
def test_what_is_simulated_can_be_fitted(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The examples of the page on simulating: what each says to do next fits up to the sampling."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as left:
        main(command)
    assert left.value.code == 0
    said = re.search(r"^Next +hierfit (.*)$", capsys.readouterr().out, re.MULTILINE)
    assert said
    with pytest.raises(SystemExit) as left:
        main([*shlex.split(said[1]), "--dry-run"])
    assert left.value.code == 0, said[1]


def test_every_option_of_a_formula_to_simulate_has_an_example() -> None:
    rows = section_rows(SIMULATING, "From a formula")
    options = {parameter.opts[0] for parameter in group().commands["simulate"].params}
    of_all = {"scenario", "--list", "--from", "--out", "--plots", "--overwrite", "--quiet"}
    of_scenarios = {"--crossed", "--y", "--group", "--intercept", "--x", "--sd", "--cor", "--sigma", "--aux"}
    assert {code(name) for name, *_ in rows} == options - of_scenarios - of_all
    for name, what, example in rows:
        assert what and code(name) in shlex.split(code(example)), name


def test_the_truth_is_laid_out_as_documented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["simulate", "--formula", "score ~ ses + (1 | school)"])
    truth = json.loads((tmp_path / "sim" / "truth.json").read_text())
    assert sorted(first_cells(SIMULATING, "truth.json")) == sorted([*truth, "from"])
    assert list(truth["effects"]["school"]) == ["terms", "values"]


# The numbers of other methods are theirs.


def table_rows(path: Path, marker: str) -> Iterator[list[str]]:
    """The cells of the table after `<!-- numbers: marker -->`, without its header."""
    lines = path.read_text().partition(f"<!-- numbers: {marker} -->\n\n")[2].split("\n\n")[0].splitlines()
    assert len(lines) > 2, marker
    for line in lines[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def moments_in(cells: list[str]) -> list[tuple[str, str]]:
    """The pairs of a "mean (sd)" in each cell."""
    return [pair for cell in cells for pair in re.findall(r"^(-?[\d.]+) \(([\d.]+)\)$", cell)]


def half_unit(shown: str) -> float:
    return 0.5 * 10.0 ** -len(shown.partition(".")[2])


def assert_exact(path: Path, marker: str, exact: dict[str, Moments]) -> None:
    rows = {name.split(" (")[0].strip("`"): moments_in(cells)[0] for name, *cells in table_rows(path, marker)}
    assert len(rows) >= 3
    for name, (mean, sd) in rows.items():
        assert float(mean) == pytest.approx(exact[name].mean, abs=1.01 * half_unit(mean)), name
        assert float(sd) == pytest.approx(exact[name].sd, abs=1.01 * half_unit(sd)), name


def test_tutorial_one_states_the_exact_posterior() -> None:
    assert_exact(TUTORIALS, "t1", tutorial_one())
    assert_exact(SAMPLES, "tutorial_schools", tutorial_one())


# The documents are run.


def shown_numbers(line: str) -> list[str]:
    return re.findall(r"-?\d[\d,]*\.?\d*(?:e[+-]\d+)?", line)


class Document:
    """A page whose commands have been run in a folder: its runs, and its commands with quoted and new outputs."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.folder = workplace(folder)
        self.outputs: list[tuple[str, str, str]] = []
        self.runs: list[Path] = []
        for command, quoted in commands_in(path.read_text()):
            if quoted is not None:
                self.outputs.append((command, quoted, run_again(command, quoted, self.folder)))
            elif command.startswith("hierfit "):
                run_command(command, self.folder)
            arguments = words(command)
            if arguments[:2] == ["hierfit", "fit"] and "--out" in arguments:
                self.runs.append(self.folder / arguments[arguments.index("--out") + 1])


def read_documents(tmp_path_factory: pytest.TempPathFactory, path: Path) -> Document:
    return Document(path, tmp_path_factory.mktemp("document"))


@pytest.fixture(scope="module")
def readme(tmp_path_factory: pytest.TempPathFactory) -> Document:
    return read_documents(tmp_path_factory, README)


@pytest.fixture(scope="module")
def tutorials(tmp_path_factory: pytest.TempPathFactory) -> Document:
    return read_documents(tmp_path_factory, TUTORIALS)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Document:
    return read_documents(tmp_path_factory, SAMPLES)


@pytest.fixture(scope="module")
def laplace(tmp_path_factory: pytest.TempPathFactory) -> Document:
    return read_documents(tmp_path_factory, LAPLACE)


def monte_carlo(values: Any, ci: float) -> list[tuple[float, float]]:
    """(value, MCSE) of mean, sd and both ends of the interval of draws [chains, draws]."""
    import arviz

    draws, ends = np.asarray(values, dtype=float), ((1 - ci) / 2, (1 + ci) / 2)
    return [
        (draws.mean(), float(arviz.mcse(draws, method="mean"))),
        (draws.std(ddof=1), float(arviz.mcse(draws, method="sd"))),
        *((float(np.quantile(draws, p)), float(arviz.mcse(draws, method="quantile", prob=p))) for p in ends),
    ]


def assert_near(shown: str, number: tuple[float, float], what: str) -> None:
    value, mcse = number
    assert float(shown.replace(",", "")) == pytest.approx(value, abs=SIGMAS * 2**0.5 * mcse + half_unit(shown)), what


def assert_quoted_tables_hold(document: Document) -> int:
    """Compare the rows of fits' tables that the page quotes with its runs; return how many there were."""
    compared = 0
    for run in document.runs:
        done = finished.load(run)
        for command, quoted, _ in document.outputs:
            if f"--out {run.relative_to(document.folder)} " not in f"{command} ":
                continue
            for parameter in done.draws.parameters:
                lines = [line for line in quoted.splitlines() if line.startswith(f"  {parameter.name}  ")]
                line = lines[0] if lines else "fixed"
                numbers = shown_numbers(line[2 + len(parameter.name) :])
                if "fixed" in line:
                    continue
                near = monte_carlo(done.draws.of(parameter.name), done.summary.ci)
                for shown, number in zip(numbers[:4], near, strict=True):
                    assert_near(shown, number, line)
                compared += 1
    return compared


@pytest.mark.stan
def test_the_readme_runs_and_its_numbers_hold(readme: Document) -> None:
    for command, quoted, printed in readme.outputs:
        assert skeleton(printed) == skeleton(quoted), command
    assert assert_quoted_tables_hold(readme) == 8


@pytest.mark.stan
def test_the_tutorials_run_and_their_numbers_hold(tutorials: Document) -> None:
    for command, quoted, printed in tutorials.outputs:
        assert skeleton(printed) == skeleton(quoted), command
    assert assert_quoted_tables_hold(tutorials) == 3 + 4


@pytest.mark.stan
def test_the_page_on_laplace_runs_and_its_numbers_hold(laplace: Document) -> None:
    for command, quoted, printed in laplace.outputs:
        assert skeleton(printed) == skeleton(quoted), command
    assert assert_quoted_tables_hold(laplace) == 2 + 2


@pytest.mark.stan
def test_the_posteriors_of_the_tutorials_are_the_exact_ones(tutorials: Document) -> None:
    first, second = tutorials.runs
    table = np.loadtxt(second.parent / "data.csv", delimiter=",", skiprows=1)
    exact_two = tutorial_two(table[:, 1], table[:, 0])
    assert_exact(TUTORIALS, "t2/run", exact_two)
    for run, exact in ((first, tutorial_one()), (second, exact_two)):
        done = finished.load(run)
        for name, moments in exact.items():
            mean, sd, *_ = monte_carlo(draws_of(done, name), 0.95)
            assert mean[0] == pytest.approx(moments.mean, abs=SIGMAS * mean[1]), name
            assert sd[0] == pytest.approx(moments.sd, abs=SIGMAS * sd[1]), name


@pytest.mark.stan
def test_the_full_engine_fails_on_tutorial_two_as_stated(tutorials: Document) -> None:
    assert "`--engine full`, where every slope is a parameter of the sampler, fails the checks" in TUTORIALS.read_text()
    (command,) = [command for command, *_ in tutorials.outputs if "--out t2/run" in command and "fit" in command]
    printed = run_command(command.replace("--out t2/run", "--engine full --out t2/full"), tutorials.folder)
    assert "Checks   FAILED" in printed


@pytest.mark.stan
@pytest.mark.parametrize("path", DOCUMENTS, ids=page_id)
def test_tables_of_posterior_means_hold(path: Path, request: pytest.FixtureRequest) -> None:
    fixtures = {README: "readme", TUTORIALS: "tutorials", SAMPLES: "samples", LAPLACE: "laplace"}
    document = request.getfixturevalue(fixtures[path])
    for marker in re.findall(r"^<!-- numbers: (\S+) -->", path.read_text(), re.MULTILINE):
        done = finished.load(document.folder / marker)
        for name, *cells in table_rows(path, marker):
            mean, sd = moments_in(cells)[-1]
            near = monte_carlo(draws_of(done, parameter_of(f"|{name}|", done)), 0.95)
            assert_near(mean, near[0], name)
            assert_near(sd, near[1], name)


# The walks, which quote tables of every kind: an estimate, its sd in most, and the interval.

_NUMBER = r"(-?\d[\d,]*\.?\d*)%?"
_WITH_SD = re.compile(rf"(?<![\w.,-]){_NUMBER}\s+{_NUMBER}\s+{_NUMBER}(?: to |\s+){_NUMBER}(?!\S)")
_WITHOUT = re.compile(rf"(?<![\w.,-]){_NUMBER} +\(?{_NUMBER} to {_NUMBER}(?![\w.])")


def estimates(output: str) -> list[tuple[str, str, str]]:
    """(estimate, lower, upper) of each, as written; what only looks like one is told by its order and its sd."""
    found = []
    for line in output.splitlines():
        begin = 0
        while begin < len(line):
            row, end = _estimate_at(line, begin)
            found += [row] if row else []
            begin = end if row else begin + 1
    return found


def _estimate_at(line: str, begin: int) -> tuple[tuple[str, str, str] | None, int]:
    if match := _WITH_SD.match(line, begin):
        mean, sd, lower, upper = match.groups()
        width = number(upper) - number(lower)
        if number(lower) < number(mean) < number(upper) and 2.5 * number(sd) < width < 6.5 * number(sd):
            return (mean, lower, upper), match.end()
    if match := _WITHOUT.match(line, begin):
        mean, lower, upper = match.groups()
        if number(lower) < number(mean) < number(upper):
            return (mean, lower, upper), match.end()
    return None, begin


def number(shown: str) -> float:
    return float(shown.replace(",", ""))


def assert_estimates_agree(quoted: str, printed: str) -> int:
    """Hold what the page quotes against what is printed now, within the Monte Carlo error of 400 draws each.

    The mean of n draws has the error sd / sqrt(n), an end of the interval of 95% that of 2.7 sd / sqrt(n).
    """
    rows, others = estimates(quoted), estimates(printed)
    assert len(rows) == len(others)
    for row, other in zip(rows, others, strict=True):
        sd = (number(other[2]) - number(other[1])) / 3.92
        for shown, again, errors in zip(row, other, (1.0, 2.7, 2.7), strict=True):
            allowed = SIGMAS * 2**0.5 * errors * sd / 400**0.5 + 2 * half_unit(shown.replace(",", ""))
            assert number(shown) == pytest.approx(number(again), abs=allowed), (row, other)
    return len(rows)


def test_lines_left_out_are_found_again_by_their_words(tmp_path: Path) -> None:
    table = r"printf 'x 1.00\n\na, 1  0.50\na, 2  0.60\na, 3  0.70\nend of 2\nlines\n'"
    quoted = "...\na, 2  0.61\n...\nend of 3 lines\n"
    assert run_again(table, quoted, tmp_path) == "...\na, 2  0.60\n...\nend of 2\nlines\n"
    assert run_again(table, "x 2\n\na, 1  0.3\n...\n", tmp_path) == "x 1.00\n\na, 1  0.50\n...\n"
    for wrong in ("...\nb, 2  0.60\n", "...\nlines\n...\na, 1  0.50\n", "a, 1\n...\n"):
        with pytest.raises(AssertionError, match="does not print"):
            run_again(table, wrong, tmp_path)


def test_estimates_are_told_from_other_numbers() -> None:
    assert estimates("  ses: per unit, at 2  1.20  0.50  0.20  2.20   1.00  3,674") == [("1.20", "0.20", "2.20")]
    assert estimates("x > 1   2.20  0.53  1.21 to 3.34  0.992  0.0026  120") == [("2.20", "1.21", "3.34")]
    assert estimates("school  17.2  10.0 to 28.0  21%  14% to 31%  19%") == [
        ("17.2", "10.0", "28.0"), ("21", "14", "31"),
    ]  # fmt: skip
    assert estimates("slopes  -3,419.4  20.8  51.6") == []


@pytest.mark.parametrize(("again", "agrees"), [("2.4  0.5  1.4  3.4", True), ("3.1  0.5  2.1  4.1", False)])
def test_estimates_agree_within_their_monte_carlo_error(again: str, agrees: bool) -> None:
    if agrees:
        assert assert_estimates_agree("x  2.3  0.5  1.3  3.3", f"x  {again}") == 1
    else:
        with pytest.raises(AssertionError):
            assert_estimates_agree("x  2.3  0.5  1.3  3.3", f"x  {again}")


@pytest.fixture(scope="module", params=WALKS, ids=page_id)
def walk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Document]:
    return request.param.stem, read_documents(tmp_path_factory, request.param)


@pytest.mark.stan
def test_the_walks_run_and_their_numbers_hold(walk: tuple[str, Document]) -> None:
    name, document = walk
    compared = 0
    for command, quoted, printed in document.outputs:
        assert skeleton(printed) == skeleton(quoted), command
        compared += assert_estimates_agree(quoted, printed)
    assert (assert_quoted_tables_hold(document), compared) == COMPARED[name]


def test_there_are_four_walks_of_the_promised_length() -> None:
    assert {path.stem for path in WALKS} == set(COMPARED)
    for path in WALKS:
        assert 100 <= len(path.read_text().splitlines()) <= 180, path.name
        ours = [command for command, quoted in commands_in(path.read_text()) if command.startswith("hierfit ")]
        assert all(quoted is not None for _, quoted in commands_in(path.read_text())) and len(ours) >= 6, path.name


@pytest.mark.parametrize("path", WALKS, ids=page_id)
def test_what_goes_into_the_paper_is_what_was_printed(path: Path) -> None:
    text = path.read_text()
    shown = set(shown_numbers(" ".join(output or "" for _, output in commands_in(text))))
    section = FENCE.sub("", text.partition("\n## What goes into the paper\n")[2])
    said = [line for line in section.splitlines() if line.startswith("> ")]
    assert len(shown_numbers(" ".join(said))) >= 8
    for line in said:
        for written in shown_numbers(re.sub(r"95%", "", line)):
            assert written in shown, (written, line)


@pytest.mark.stan
def test_the_run_folder_page_names_every_key_and_file(readme: Document) -> None:
    page, run = ROOT / "docs" / "run-folder.md", readme.folder / "rats"
    assert {path.name for path in run.iterdir()} <= set(re.findall(r"`([\w.]+)/?`", page.read_text()))
    manifest, summary = (json.loads((run / f"{name}.json").read_text()) for name in ("run", "summary"))
    assert "`prior_predictive` | only with `--prior-only`" in page.read_text()  # what this run has not, and:
    assert "`nodes`, `node_error` | only of `latent`" in page.read_text()
    assert sorted(first_cells(page, "run.json")) == sorted([*manifest, "prior_predictive", "nodes", "node_error"])
    parameter = summary["parameters"][0]
    assert sorted(first_cells(page, "summary.json")) == sorted([*summary, *parameter])
    with (run / "groups.csv").open() as file:
        header = next(csv.reader(file))
    section = page.read_text().partition("\n## groups.csv\n")[2].partition("\n## ")[0]
    assert set(header) == set(re.findall(r"`(\w+)`", section))


@pytest.mark.stan
def test_the_trace_is_laid_out_as_documented_and_the_example_runs(
    readme: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "run-folder.md").read_text()
    (example,) = [block for language, block in FENCE.findall(page) if language == "python"]
    monkeypatch.chdir(readme.folder)
    names: dict[str, Any] = {}
    exec(example, names)
    done = finished.load(readme.folder / "rats")
    expected = done.draws.of("day") + done.draws.effects["rat"][:, :, done.design.group("rat").labels.index("9"), 1]
    np.testing.assert_allclose(names["rat_9"].values, expected, rtol=1e-6)
    assert 0 < names["probability"] <= 1
    assert len(names["table"]) == sum(not parameter.is_at_mean for parameter in done.draws.parameters)
    variables = {name for group in names["trace"].groups() for name in names["trace"][group].data_vars}
    section = page.partition("\n## trace.nc\n")[2]
    documented = set(re.findall(r"`(\w+)`", section)) | {"weight", "u_rat"}
    assert variables <= documented
