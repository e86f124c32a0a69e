import hashlib
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.fake_sampling import replace_sampler


def test_draws_are_added(cli: Cli, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_sampler(monkeypatch)
    before = json.loads((run / "run.json").read_text())
    done = cli("extend", run, "--draws", 50, "--quiet")
    after = json.loads((run / "run.json").read_text())
    assert done.code == 0, done.err
    assert after["draws_per_chain"] == before["draws_per_chain"] + 50 and after["rounds"] == before["rounds"] + 1
    assert after["request"] == before["request"]
    assert f"x {after['draws_per_chain']:,} after" in done.out


def test_the_goal_is_effective_draws_unless_draws_are_named(
    cli: Cli, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int | None, int | None]] = []

    def extend(run: Path, draws: int | None, until_ess: int | None, **_: object) -> None:
        asked.append((draws, until_ess))
        raise KeyboardInterrupt

    monkeypatch.setattr("hierfit.workflow.extend", extend)
    for options in ([], ["--until-ess", "50"], ["--draws", "10"]):
        assert cli("extend", run, *options).code == 130
    assert asked == [(None, 1000), (None, 50), (10, None)]


def test_two_goals_are_one_too_many(cli: Cli, run: Path) -> None:
    done = cli("extend", run, "--draws", "10", "--until-ess", "10")
    assert done.code == 2 and "ask for different things" in done.err


def test_a_folder_that_is_no_run_is_refused(cli: Cli) -> None:
    done = cli("extend", "nowhere")
    assert done.code == 2 and "there is no folder 'nowhere'" in done.err


def test_a_program_that_is_not_ours_is_not_compiled(cli: Cli, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_sampler(monkeypatch)
    built: list[object] = []
    monkeypatch.setattr("hierfit.engines.built.build_executable", lambda *arguments: built.append(arguments))
    program = run / "model.stan"
    program.write_text("functions { int planted() { return 1; } }\n" + program.read_text())
    changed = cli("extend", run)
    assert changed.code == 2 and "its checksum is another" in changed.err
    manifest = json.loads((run / "run.json").read_text())
    manifest["files"]["model.stan"] = {
        "bytes": program.stat().st_size,
        "sha256": hashlib.sha256(program.read_bytes()).hexdigest(),
    }
    for version in ("0.0.1", manifest["hierfit"]):
        (run / "run.json").write_text(json.dumps({**manifest, "hierfit": version}))
        planted = cli("extend", run)
        assert planted.code == 2 and built == []
        assert "model.stan is not the program that hierfit" in planted.err and "it is not compiled" in planted.err
        assert "hierfit fit --from run --out NEW" in planted.err
        assert ("or use hierfit 0.0.1" in planted.err) == (version == "0.0.1")
    program.unlink()
    assert cli("extend", run).code == cli("code", run).code == 2
