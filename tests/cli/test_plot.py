"""`hierfit plot`: which pictures, where to, in which format; what is in the way stays; `hierfit effects --plot`."""

import hashlib
import json

import pytest

from tests.fake_sampling import replace_sampler

USUAL = {"posterior", "groups", "lines", "ppc", "ppc_groups", "shrinkage", "trace", "checks"}


def pictures(run):
    return {path.name for path in (run / "plots").iterdir()}


def listed(run):
    """The pictures that run.json lists, each as it is on the disk."""
    files = json.loads((run / "run.json").read_text())["files"]
    own = {name: said for name, said in files.items() if name.startswith("plots/")}
    for name, said in own.items():
        content = (run / name).read_bytes()
        assert said == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    return {name.removeprefix("plots/") for name in own}


def test_the_usual_ones(cli, run):
    done = cli("plot", run)
    assert (done.code, done.err) == (0, "")
    assert [line.split("  ")[0] for line in done.out.splitlines()] == [
        f"run/plots/{stem}.png"
        for stem in ("posterior", "groups", "lines", "ppc", "ppc_groups", "shrinkage", "trace", "checks")
    ]
    assert pictures(run) == listed(run) == {f"{stem}.png" for stem in USUAL}


def test_one_kind_leaves_the_others(cli, run):
    assert cli("plot", run, "--kind", "trace", "--kind", "checks", "--quiet").out == ""
    before = (run / "plots" / "trace.png").stat().st_mtime_ns
    cli("plot", run, "--kind", "coefficients", "--format", "svg", "-q")
    cli("plot", run, "--kind", "checks", "--dpi", "50", "-q")
    assert pictures(run) == listed(run) == {"trace.png", "checks.png", "coefficients.svg"}
    assert (run / "plots" / "trace.png").stat().st_mtime_ns == before


def test_the_usual_ones_take_the_place_of_all_of_their_format(cli, run):
    cli("plot", run, "--kind", "coefficients", "--kind", "pairs", "-q")
    cli("plot", run, "--kind", "pairs", "--format", "svg", "-q")
    cli("plot", run, "--dpi", "40", "-q")
    assert pictures(run) == listed(run) == {f"{stem}.png" for stem in USUAL} | {"pairs.svg"}


def test_files_of_the_user_stay(cli, run):
    (run / "plots").mkdir()
    (run / "plots" / "trace.png").write_text("mine")
    (run / "plots" / "other.png").write_text("mine")
    before = (run / "run.json").read_bytes()
    done = cli("plot", run, "--kind", "trace")
    assert done.code == 2 and "run/plots/trace.png is not what hierfit wrote there" in done.err
    assert cli("plot", run, "--kind", "checks", "-q").code == 0
    assert (run / "plots" / "trace.png").read_text() == (run / "plots" / "other.png").read_text() == "mine"
    assert before != (run / "run.json").read_bytes() and listed(run) == {"checks.png"}


def test_elsewhere_the_run_is_only_read(cli, run, folder):
    before = {path: path.read_bytes() for path in run.iterdir()}
    done = cli("plot", run, "--kind", "lines", "--column", "ses", "--out", "ses.pdf")
    assert done.out.startswith("ses.pdf  score against ses") and (folder / "ses.pdf").read_bytes().startswith(b"%PDF")
    assert cli("plot", run, "--kind", "lines", "--kind", "trace", "--out", "here", "--format", "svg", "-q").code == 0
    assert {path.name for path in (folder / "here").iterdir()} == {"lines.svg", "trace.svg"}
    assert before == {path: path.read_bytes() for path in run.iterdir()}
    done = cli("plot", run, "--kind", "trace", "--out", "here", "--format", "svg")
    assert done.code == 2 and "here/trace.svg exists already" in done.err
    assert cli("plot", run, "--kind", "trace", "--out", "here", "--format", "svg", "--overwrite").code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--kind", "tracee"], ["--kind tracee", "Did you mean 'trace'?", "ppc_groups"]),
        (["--kind", "trace", "--column", "ses"], ["--column is about", "lines"]),
        (["--column", "sess"], ["--column sess", "Did you mean 'ses'?"]),
        (["--kind", "trace", "--per", "sd"], ["--per is about coefficients"]),
        (["--all", "--kind", "trace"], ["--all", "leave one of them out"]),
        (["--overwrite"], ["--overwrite goes with --out"]),
        (["--out", "x.png"], ["x.png is one file, but there are 8 pictures"]),
        (["--out", "x.png", "--format", "svg", "--kind", "trace"], ["--format svg: x.png ends in .png"]),
        (["--out", "no/x.png", "--kind", "trace"], ["there is no folder no"]),
        (["--out", "data.csv", "--kind", "trace"], ["data.csv could not be written"]),
        (["--dpi", "10"], ["from 40 to 600"]),
    ],
)
def test_what_is_refused(cli, run, words, said):
    done = cli("plot", run, *words)
    assert done.code == 2 and done.out == "" and not (run / "plots").exists()
    assert all(part in done.err for part in said), done.err


def test_a_kind_that_the_run_has_not(cli, folder, monkeypatch):
    replace_sampler(monkeypatch)
    assert cli("fit", "data.csv", "--y", "score", "--x", "ses", "--out", "run", "--draws", "200", "-q").code < 2
    done = cli("plot", "run", "--kind", "trace", "--kind", "ppc_groups")
    assert (done.code, done.out) == (
        2,
        "",
    ) and "--kind ppc_groups: run has no such picture. It takes groups" in done.err
    assert cli("plot", "run", "--all", "--dpi", "40", "-q").code == 0
    assert {"coefficients.png", "effects.png", "data.png", "khat.png"} <= pictures(folder / "run") - {"lines.png"}


def test_the_help_says_what_each_kind_shows(cli):
    from hierfit.posterior.pictures import KINDS

    text = "".join(cli("plot", "--help").out.replace("│", " ").split())
    for kind, said in KINDS.items():
        assert "".join(f"{kind}: {said.shows}".split()) in text


def test_an_answer_is_drawn(cli, run, folder):
    done = cli("effects", run, "--marginal", "--at", "ses=0,1,2", "--plot", "ses.svg")
    assert done.code == 0 and "Saved    ses.svg  Average score goes from " in done.err
    plain = cli("effects", run, "--marginal", "--at", "ses=0,1,2")
    assert (done.out, plain.err) == (plain.out, "") and (folder / "ses.svg").read_text().startswith("<?xml")
    done = cli("effects", run, "--plot", "ses.svg")
    assert done.code == 2 and "ses.svg exists already" in done.err and done.out == ""
    assert "ends in none of .png, .svg, .pdf" in cli("effects", run, "--plot", "ses.txt").err
