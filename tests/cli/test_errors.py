"""Bad input, bad luck and interrupts: exit code, what stderr says, and that nothing else happens."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from hierfit.errors import Interrupted, SamplerError, ToolchainError
from hierfit.runs.files import SCHEMA
from hierfit.sampling import SamplerOptions, Sampling
from tests.cli.conftest import CSV, FIT, Cli
from tests.disk.faults import FULL, Disk, failing
from tests.fake_sampling import fake_sampling, replace_sampler

ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
HEADER = "score,ses,school\n"
NEWER = '{"schema": 9, "hierfit": "9.9"}'
SIMULATE = ["simulate", "--formula", "score ~ ses + (1 + ses | school)"]


@dataclass(frozen=True)
class Bad:
    """One bad input: files to make, arguments, the exit code, and what stderr must say."""

    case: str
    arguments: list[str]
    says: list[str]
    files: Mapping[str, str | bytes | None] = field(default_factory=dict)  # None takes the file away
    code: int = 2
    run: bool = False  # whether a fitted run stands in `run`


def fit(*more: str, data: str = "data.csv") -> list[str]:
    return ["fit", data, *FIT[2:], "--dry-run", *more]


def data(text: str | bytes) -> dict[str, str | bytes | None]:
    return {"data.csv": text}


BAD = [
    # columns
    Bad("missing column", [*fit(), "--x", "sess"], ["no column 'sess' in data.csv", "Did you mean 'ses'?", "columns:"]),
    Bad("missing outcome", ["fit", "data.csv", "--y", "scores", "--dry-run"], ["'scores'", "Did you mean 'score'?"]),
    Bad("missing group", ["fit", "data.csv", "--y", "score", "--group", "School", "--dry-run"], ["mean 'school'?"]),
    Bad("outcome twice", [*fit(), "--x", "score"], ["'score' is both the outcome (--y) and a predictor"]),
    Bad("outcome is group", ["fit", "data.csv", "--y", "score", "--group", "score"], ["'score' is both", "--group"]),
    Bad("column twice", fit(), ["'ses' stands 2 times", "data.csv"], data("score,ses,ses,school\n1,2,3,a\n")),
    # cells
    Bad("text", fit(), ["column 'ses' of data.csv", "line 3", "'high'"], data(HEADER + "1,2,a\n2,high,b\n3,1,b\n")),
    Bad("comma", fit(), ["'ses'", "line 2", "'1,5'", "1.5"], data(HEADER + '1,"1,5",a\n2,3,b\n3,1,b\n')),
    Bad("infinite", fit(), ["'ses'", "line 3", "'inf'", "finite"], data(HEADER + "1,2,a\n2,inf,b\n3,1,b\n")),
    Bad("fields", fit(), ["line 3 of data.csv", "4 fields", "has 3"], data(HEADER + "1,2,a\n2,1,b,7\n")),
    Bad("quote", fit(), ["line 3", "never closed"], data(HEADER + '1,2,a\n2,3,"b\n3,1,b\n')),
    Bad("labels as y", ["fit", "data.csv", "--y", "school"], ["'school'", "must hold numbers", "line 2", "'a'"]),
    # rows
    Bad("constant y", fit(), ["column 'score'", "all 3 values are 5"], data(HEADER + "5,1,a\n5,2,b\n5,4,a\n")),
    Bad("constant x", fit(), ["column 'ses'", "all 4 values are 1"], data(HEADER + "5,1,a\n4,1,b\n3,1,a\n2,1,b\n")),
    Bad("one group", fit(), ["column 'school'", "'a'", "two groups"], data(HEADER + "5,1,a\n4,2,a\n3,4,a\n2,1,a\n")),
    Bad("too few rows", fit(), ["data.csv has 2 complete rows"], data(HEADER + "5,1,a\n4,2,b\n")),
    Bad("no complete row", fit(), ["no row of data.csv", "score (1", "ses (1"], data(HEADER + ",1,a\n4,,b\n")),
    Bad("header only", fit(), ["data.csv has a header but no rows"], data(HEADER)),
    Bad("empty file", fit(), ["data.csv is empty (0 bytes)"], data("")),
    Bad("blank lines", fit(), ["data.csv has no header"], data("\n\n")),
    # files
    Bad("binary", fit(), ["data.csv is not text", "zero byte"], data(b"\0\1\2score")),
    Bad("workbook", fit(), ["data.csv is an Excel workbook", "CSV UTF-8"], data(b"PK\3\4 and so on")),
    Bad("latin-1", fit(), ["data.csv is not UTF-8", "line 2"], data(HEADER.encode() + b"1,2,\x81cole\n")),
    Bad("folder", fit(data="place"), ["place is a folder, not a CSV file", "in.csv"], {"place/in.csv": CSV}),
    Bad("no file", fit(data="dat.csv"), ["no file dat.csv", "Did you mean 'data.csv'?"]),
    Bad("no folder", fit(data="nowhere/data.csv"), ["no file nowhere/data.csv", "nowhere does not exist"]),
    # priors
    Bad("prior text", [*fit(), "--prior", "ses normal(0, 1)"], ['"ses normal(0, 1)" could not be read', "NAME ~"]),
    Bad("prior name", [*fit(), "--prior", "sess ~ normal(0, 1)"], ["no parameter 'sess'", "'ses'?", "sd(school)"]),
    Bad("prior kind", [*fit(), "--prior", "ses ~ gauss(0, 1)"], ["no distribution 'gauss'", "student_t"]),
    Bad("prior numbers", [*fit(), "--prior", "ses ~ normal(0)"], ["normal takes 2 numbers", "normal(mu, sigma)"]),
    Bad("prior sigma", [*fit(), "--prior", "ses ~ normal(0, -1)"], ["sigma must be greater than 0", "-1"]),
    Bad("prior of sd", [*fit(), "--prior", "sd(school) ~ uniform(-2, -1)"], ["sd(school)", "no room"]),
    Bad("lkj", [*fit(), "--prior", "ses ~ lkj(1)"], ["ses takes any distribution but lkj"]),
    Bad("flat prior only", [*fit(), "--prior-only", "--prior", "ses ~ flat()"], ["cannot draw ses from flat()"]),
    # options
    Bad("slope, no group", ["fit", "data.csv", "--y", "score", "--slope", "ses"], ["--slope", "--group"]),
    Bad("slope of other", [*fit(), "--slope", "ses:class"], ["'class' is not a --group", "--slope ses:school"]),
    Bad("nothing varies", [*fit(), "--no-varying-intercept"], ["nothing varies", "--slope COLUMN"]),
    Bad("ci", [*fit(), "--ci", "2"], ["--ci", "0.999"]),
    Bad("chains", [*fit(), "--chains", "0"], ["--chains"]),
    Bad("draws", [*fit(), "--draws", "many"], ["--draws", "a whole number is wanted"]),
    Bad("toolchain", [*fit(), "--toolchain", "gcc"], ["--toolchain", "gcc", "bundled"]),
    Bad("format", [*fit(), "--format", "xml"], ["--format", "xml", "csv"]),
    Bad("option", [*fit(), "--grup", "school"], ["--grup", "--group"]),
    Bad("command", ["fti"], ["fti", "fit"]),
    Bad("no file at all", ["fit"], ["fit needs a CSV file, and either --y or --formula", "hierfit fit data.csv"]),
    Bad("no y", ["fit", "data.csv"], ["fit needs a CSV file, and either --y or --formula"]),
    Bad("both forms", [*fit(), "--formula", "score ~ ses"], ["either --y or --formula"]),
    Bad("x beside it", ["fit", "data.csv", "--formula", "score ~ 1", "--x", "ses"], ["--x cannot be given beside it"]),
    Bad("brackets", ["fit", "data.csv", "--formula", "score ~ (1 | school"], ["brackets", "do not match"]),
    Bad("no tilde", ["fit", "data.csv", "--formula", "score + ses"], ["one '~'"]),
    Bad("no brackets", ["fit", "data.csv", "--formula", "score ~ 1 | school"], ["'|'", "outside brackets"]),
    Bad("no such column", ["fit", "data.csv", "--formula", "score ~ see + (1 | school)"], ["'see'", "'ses'"]),
    Bad("no function", ["fit", "data.csv", "--formula", "score ~ lgo(ses)"], ["'lgo(...)'", "mean 'log'?"]),
    Bad("log of nothing", ["fit", "data.csv", "--formula", "score ~ log(ses - 1)"], ["no finite number on line"]),
    Bad("no parameter", ["fit", "data.csv", "--formula", "yes ~ 0", "--family", "bernoulli"], ["nothing to estimate"],
        data("yes\n0\n1\n1\n0\n")),
    Bad("family", [*fit(), "--family", "gausian"], ["no family 'gausian'", "'gaussian'"]),
    Bad("link", [*fit(), "--link", "logit"], ["gaussian has no link 'logit'", "identity"]),
    Bad("counts", [*fit(), "--family", "poisson"], ["'score'", "line", "poisson needs whole numbers"]),
    Bad("three values", [*fit(), "--family", "bernoulli"], ["'score'", "line", "bernoulli needs 0 and 1"]),
    Bad("proportions", [*fit(), "--family", "beta"], ["'score'", "beta needs numbers between 0 and 1"]),
    Bad("no trials", [*fit(), "--family", "binomial"], ["needs the number of trials", "--trials COLUMN"]),
    Bad("trials", [*fit(), "--trials", "ses"], ["gaussian has no trials"]),
    Bad("reference of numbers", [*fit(), "--reference", "ses=1"], ["'ses' is not a text column"]),
    Bad("no reference", [*fit(), "--reference", "ses"], ["could not be read", "sector=Public"]),
    Bad("levels text", [*fit(), "--levels", "dose"], ["--levels dose could not be read", "dose=low,mid,high"]),
    Bad("levels twice", [*fit(), "--levels", "ses=1,2", "--levels", "ses=2,1"], ["--levels names the column 'ses' tw"]),
    Bad("levels of none", [*fit(), "--levels", "sees=1,2"], ["'sees' is neither the outcome", "Did you mean 'ses'?"]),
    Bad("levels of group", [*fit(), "--levels", "school=a,b"], ["'school' is neither the outcome nor a predictor"]),
    Bad("levels of y", [*fit(), "--levels", "score=1,2"], ["--levels score=1,2: an outcome of gaussian is any number"]),
    Bad("levels, typo", [*fit(), "--levels", "ses=lo,hihg"], ["no row holds 'hihg'", "mean 'high'?", "used: high, lo"],
        data(HEADER + "1,lo,a\n2,high,b\n3,lo,b\n4,high,a\n")),
    Bad("levels, one less", [*fit(), "--levels", "ses=lo,hi"], ["line 4 of data.csv holds 'mid'", "lo, hi, mid"],
        data(HEADER + "1,lo,a\n2,hi,b\n3,mid,b\n4,hi,a\n")),
    Bad("coding", ["fit", "data.csv", "--formula", "score ~ C(ses, Poly)"], ["'Poly'", "coding", "S(x)"]),
    Bad("standard beta", [*fit(), "--standardize", "--prior", "b ~ beta(1, 1)"], ["per sd of ses", "such as uniform"]),
    # where to save
    Bad("out is a run", [*FIT, "--out", "run"], ["run already holds a run", "--overwrite"], run=True),
    Bad("out is no run", [*FIT, "--out", "mine"], ["mine exists and is not a hierfit run"], {"mine/thesis.txt": "!"}),
    Bad("nor then", [*FIT, "--out", "mine", "--overwrite"], ["it will not be touched"], {"mine/thesis.txt": "!"}),
    Bad("out is a file", [*FIT, "--out", "data.csv", "--overwrite"], ["data.csv is a file"]),
    Bad("out is here", [*FIT, "--out", "."], ["the folder you are in"]),
    Bad("long name", [*FIT, "--out", "a" * 300], ["cannot be used: File name too long", "--out"]),
    Bad("out under a file", [*FIT, "--out", "data.csv/run"], ["data.csv"]),
    Bad("long data", fit(data="a" * 300), ["aaa", "File name too long"]),
    # --from
    Bad("from nothing", ["fit", "--from", "nowhere"], ["no folder 'nowhere'"]),
    Bad("from, x", ["fit", "--from", "run", "--x", "ses", "--seed", "3"], ["--x says half a model"], run=True),
    Bad("from, broken", ["fit", "--from", "run"], ["request.formula is"], {"run/run.json": "request"}, run=True),
    # folders of runs
    *(
        Bad(f"{command}, {case}", [command, place], says, files)
        for command in ("summarize", "plot", "code")
        for case, place, says, files in (
            ("no folder", "nowhere", ["no folder 'nowhere'"], {}),
            ("no run", "mine", ["mine is not a hierfit run", "no run.json"], {"mine/thesis.txt": "!"}),
            ("a file", "data.csv", ["data.csv is not a hierfit run"], {}),
        )
    ),
    Bad("near", ["summarize", "runn"], ["no folder 'runn'", "Runs nearby: run"], run=True),
    Bad("cut manifest", ["summarize", "run"], ["run.json could not be read"], {"run/run.json": '{"schema":'}, run=True),
    Bad("list manifest", ["plot", "run"], ["run.json could not be read"], {"run/run.json": "[1]"}, run=True),
    Bad("bare one", ["code", "run"], ["hierfit is missing"], {"run/run.json": f'{{"schema": {SCHEMA}}}'}, run=True),
    Bad("half a model", ["summarize", "run"], ["model.data is not known."], {"run/run.json": "model"}, run=True),
    Bad("other schema", ["summarize", "run"], ["hierfit 9.9"], {"run/run.json": NEWER}, run=True),
    Bad("text trace", ["plot", "run"], ["trace.nc is not the file that was"], {"run/trace.nc": "no trace"}, run=True),
    Bad("no trace", ["plot", "run"], ["trace.nc is missing"], {"run/trace.nc": None}, run=True),
    Bad("no program", ["code", "run"], ["model.stan could not be read"], {"run/model.stan": None}, run=True),
    Bad("empty trace", ["plot", "run"], ["trace.nc is not the file that was saved"], {"run/trace.nc": ""}, run=True),
    Bad("sort, no group", ["summarize", "run", "--sort", "ses"], ["--sort", "add --groups"], run=True),
    Bad("all, no group", ["summarize", "run", "--all"], ["--all", "add --groups"], run=True),
    Bad("sort unknown", ["summarize", "run", "--groups", "--sort", "sess"], ["'ses'?", "Intercept or ses"], run=True),
    Bad("ci of run", ["summarize", "run", "--ci", "95"], ["--ci", "0.999"], run=True),
    # simulate
    Bad("scenario", ["simulate", "school"], ["school", "Did you mean 'schools'?"]),
    Bad("rows", ["simulate", "--rows-per-group", "few"], ["--rows-per-group few", "2-5"]),
    Bad("coefficient", ["simulate", "--x", "ses"], ["--x ses could not be read", "ses=2"]),
    Bad("number", ["simulate", "--sd", "Intercept=big"], ["--sd Intercept=big"]),
    Bad("correlation", ["simulate", "--cor", "0.3"], ["--cor 0.3", "only Intercept varies"]),
    Bad("memory", ["simulate", "--groups", "100000000000000"], ["out of memory"]),
    Bad("true value", [*SIMULATE, "--true", "sess=2"], ["no parameter 'sess'", "mean 'ses'?", "sd(school: ses)"]),
    Bad("true sd", [*SIMULATE, "--true", "sd(school)=-2"], ["sd(school) is negative: -2"]),
    Bad("true matrix", [*SIMULATE, "--true", "cor(school)=1"], ["cor(school: Intercept, ses) cannot be 1"]),
    Bad("true text", [*SIMULATE, "--true", "sigma=eight"], ['--true sigma=eight could not be read', '"sd(school)=5"']),
    Bad("true twice", [*SIMULATE, "--true", "ses=1", "--true", "ses=2"], ["'ses' more than once"]),
    Bad("beside scenario", [*SIMULATE, "--x", "ses=2", "--sd", "ses=1"], ["--x, --sd cannot be given", "--true"]),
    Bad("scenario beside", [*SIMULATE, "slopes"], ["a scenario cannot be given beside it"]),
    Bad("run beside", [*SIMULATE, "--from", "run"], ["--formula cannot be given too"]),
    Bad("no formula", ["simulate", "--true", "ses=2", "--rows", "9"], ["--true, --rows go with --formula"]),
    Bad("categories of none", [*SIMULATE, "--levels", "sector=A,B"], ["'sector' is no column", "ses, school"]),
    Bad("categories text", [*SIMULATE, "--levels", "ses"], ["--levels ses says neither", "sector=Public,Catholic"]),
    Bad("levels of no group", [*SIMULATE, "--levels", "scool=3"], ["'scool' is no group", "Did you mean 'school'?"]),
    Bad("levels as a word", [*SIMULATE, "--levels", "school=few"], ["--levels school=few says neither how many"]),
    Bad("levels range", [*SIMULATE, "--levels", "school=3-x"], ["--levels school=3-x is not a number of levels"]),
    Bad("levels said twice", [*SIMULATE, *2 * ["--levels", "school=3"]], ["--levels says 'school' more than once"]),
    Bad("groups of two", ["simulate", "--formula", "y ~ (1 | a/b)", "--groups", "9"], ["--levels a=9 --levels b=9"]),
    Bad("groups of none", ["simulate", "--formula", "y ~ a", "--groups", "9"], ["has no groups", "--rows 200"]),
    Bad("rows of groups", [*SIMULATE, "--rows", "90"], ["--rows 90: the formula has groups", "--rows-per-group"]),
    Bad("rows of none", ["simulate", "--formula", "y ~ a", "--rows-per-group", "9"], ["has no groups", "--rows 200"]),
    Bad("log", ["simulate", "--formula", "y ~ log(a)"], ["the simulated data", '--predictors "a ~ uniform(1, 10)"']),
    Bad("coded", ["simulate", "--formula", "y ~ C(a, Treatment(4))"], ["not in levels", "levels of 'a' are 1,2,3"]),
    Bad("drawn twice", [*SIMULATE, *2 * ["--predictors", "ses ~ normal(0, 1)"]], ["that of 'ses' more than once"]),
    Bad("drawn one", ["simulate", "--predictors", "ses ~ normal(0, 1)"], ["from one distribution", "--formula"]),
    Bad("simulate there", ["simulate", "--out", "mine"], ["mine", "thesis.txt"], {"mine/thesis.txt": "!"}),
]  # fmt: skip


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("bad", BAD, ids=[bad.case for bad in BAD])
def test_bad_input_is_named_and_nothing_happens(
    bad: Bad, cli: Cli, folder: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_sampler(monkeypatch, lambda *arguments: pytest.fail("the sampler was reached"))
    if bad.run:
        request.getfixturevalue("run")
    for name, content in bad.files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        if content is None:
            (folder / name).unlink()
            continue
        if content in ("request", "model"):  # that part of run.json is damaged
            content = json.dumps(json.loads((folder / name).read_text()) | {content: {"data": "data.csv"}})
        (folder / name).write_bytes(content if isinstance(content, bytes) else str(content).encode())
    before = tree(folder)
    done = cli(*bad.arguments)
    said = " ".join(done.err.replace("│", " ").split())
    assert done.code == bad.code, done.err
    assert [text for text in bad.says if text not in said] == [], done.err
    assert done.out == ""
    assert "Traceback" not in said and "a bug in hierfit" not in said
    assert tree(folder) == before


@pytest.mark.skipif(ROOT, reason="root may do anything")
def test_places_without_permission(cli: Cli, folder: Path) -> None:
    (folder / "data.csv").chmod(0)
    assert "permission denied" in cli(*FIT, "--dry-run").err
    (folder / "closed").mkdir(mode=0o500)
    done = cli(*FIT, "--out", "closed/run")
    assert (done.code, "cannot be written" in done.err) == (2, True)


def test_missing_values_are_dropped_and_counted(cli: Cli, folder: Path) -> None:
    (folder / "data.csv").write_text(CSV + "1,,a\n2,NA,b\n,,c\n")
    done = cli(*FIT, "--dry-run")
    assert done.code == 0
    assert "data.csv: 35 rows, 4 schools, 3 rows dropped (missing: 1 score, 3 ses)" in done.out


def test_groups_with_a_single_row_are_said(cli: Cli, folder: Path) -> None:
    (folder / "data.csv").write_text(CSV + "1,2,lonely\n")
    done = cli(*FIT, "--dry-run")
    assert done.code == 0
    assert "schools (1 with a single row)" in done.out


def test_labels_are_text_and_not_numbers(cli: Cli, folder: Path) -> None:
    rows = "".join(f"{i * i % 7},{i % 5},{label}\n" for i, label in enumerate(["001", "1", "01", "1.0"] * 5))
    (folder / "data.csv").write_text(HEADER + rows)
    assert "20 rows, 4 schools" in cli(*FIT, "--dry-run").out


@pytest.mark.parametrize(
    ("error", "code"),
    [(SamplerError("chain 2 stopped"), 3), (ToolchainError("no g++"), 3), (Interrupted("stopped"), 130)],
)
def test_a_failed_fit_leaves_the_earlier_run_whole(
    error: Exception, code: int, cli: Cli, run: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(data: Mapping[str, Any], options: SamplerOptions) -> Sampling:
        raise error

    replace_sampler(monkeypatch, fail)
    before = tree(folder)
    done = cli(*FIT, "--out", run, "--overwrite")
    assert (done.code, done.out) == (code, "")
    assert str(error) in done.err
    assert tree(folder) == before
    assert cli(*FIT, "--out", "new").code == code
    assert tree(folder) == before
    assert not (folder / "new").exists()


def test_an_interrupt_keeps_the_finished_draws(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop_early(data: Mapping[str, Any], options: SamplerOptions) -> Sampling:
        part = fake_sampling(data, replace(options, draws=60), interrupted=True)
        return replace(part, options=replace(part.options, draws=options.draws))

    replace_sampler(monkeypatch, stop_early)
    done = cli(*FIT, "--out", "run", "--draws", "400")
    assert done.code == 130
    assert "interrupted: 60 of 400 draws of each chain" in done.out
    assert "(status: interrupted)" in done.err
    manifest = json.loads((folder / "run" / "run.json").read_text())
    assert (manifest["status"], manifest["draws_per_chain"]) == ("interrupted", 60)
    again = cli("summarize", "run")
    assert again.code == 0
    assert "4 chains x 60" in again.out


def test_failed_checks_are_exit_code_1_and_the_run_is_kept(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disagree(data: Mapping[str, Any], options: SamplerOptions) -> Sampling:
        sampling = fake_sampling(data, options)
        sampling.variables["aux"][0] += 5
        return sampling

    replace_sampler(monkeypatch, disagree)
    done = cli(*FIT, "--out", "run", "--draws", "100")
    assert done.code == 1
    assert "Checks   FAILED · do not use these estimates yet" in done.out
    assert "Saved    run  (status: failed-checks)" in done.err
    assert json.loads((folder / "run" / "run.json").read_text())["status"] == "failed-checks"
    for form in ("csv", "json"):
        again = cli("summarize", "run", "--format", form)
        assert (again.code, "FAILED" in again.err) == (1, True)


def boom(*arguments: object) -> None:
    raise ZeroDivisionError("what\nnobody expected")


def test_a_bug_is_one_line_and_exit_code_101(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hierfit.workflow.prepare", boom)
    done = cli(*FIT)
    assert (done.code, done.out) == (101, "")
    first, second = done.err.splitlines()
    assert first == "error: a bug in hierfit: ZeroDivisionError: what nobody expected"
    assert "HIERFIT_DEBUG=1" in second


def test_debugging_shows_where_a_bug_is(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hierfit.workflow.prepare", boom)
    monkeypatch.setenv("HIERFIT_DEBUG", "1")
    done = cli(*FIT)
    assert (done.code, done.out) == (101, "")
    assert "Traceback" in done.err and "in boom" in done.err


def test_an_interrupt_before_sampling_says_so(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hierfit.workflow.prepare", stop)
    done = cli(*FIT)
    assert (done.code, done.out, done.err.strip()) == (130, "", "interrupted")


@pytest.mark.parametrize("share", [0.1, 0.4, 0.7])
def test_disk_trouble_while_saving_loses_nothing(
    share: float, cli: Cli, run: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_sampler(monkeypatch)
    (run / "notes.txt").write_text("mine")
    before = tree(folder)
    for command in ([*FIT, "--out", run, "--overwrite", "--draws", "100"], ["extend", run, "--draws", "10"]):
        with failing(Disk(), FULL) as disk:
            assert cli(*command, "--quiet").code == 0
        assert (run / "notes.txt").read_text() == "mine"
        put_back(before)
        with failing(Disk(int(share * disk.count), then_all=True), FULL):
            done = cli(*command, "--quiet")
        assert (done.code, done.out) == (2, "")
        assert "could not be written: the disk is full" in done.err and "MB free" in done.err
        assert tree(folder) == before


def test_a_disk_without_room_is_refused_before_anything_is_drawn(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_sampler(monkeypatch, lambda *_: pytest.fail("the sampler was reached"))
    monkeypatch.setattr(
        "shutil.disk_usage", lambda place: shutil._ntuple_diskusage(9_000_000, 9_000_000 - 5_000, 5_000)
    )
    before = tree(folder)
    done = cli(*FIT, "--out", "deep/run")
    assert (done.code, done.out) == (2, "")
    assert "deep/run will need 0.1 MB at least, and its disk has 0.0 of 9 MB free" in done.err
    assert tree(folder) == before and not (folder / "deep").exists()


def put_back(content: Mapping[str, bytes]) -> None:
    for path, text in content.items():
        Path(path).write_bytes(text)


def start(*arguments: str, **options: Any) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "hierfit", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        **options,
    )


def test_a_real_process_leaves_with_the_code_and_a_clean_stdout(folder: Path) -> None:
    process = start("fit", "data.csv", "--y", "scor", cwd=folder)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert err.startswith("error: no column 'scor' in data.csv. Did you mean 'score'?\nhint:  columns: score (number)")


def test_a_reader_that_leaves_is_no_error(folder: Path) -> None:
    process = start("fit", "--help", cwd=folder)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert (process.stderr.read(), process.wait(60)) == ("", 0)


def test_a_terminal_without_utf_8_gets_its_report(fitted: Path) -> None:
    process = start("code", str(fitted), env=os.environ | {"PYTHONIOENCODING": "ascii"})
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert out.startswith("// score ~ 1 + ses + (1 + ses | school)")
