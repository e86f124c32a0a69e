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


def test_another_program_is_not_gone_on_with(cli: Cli, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_sampler(monkeypatch)
    built: list[object] = []
    monkeypatch.setattr("hierfit.engines.built.build_executable", lambda *arguments: built.append(arguments))
    manifest = json.loads((run / "run.json").read_text())
    for version in ("0.0.1", manifest["hierfit"]):
        other = {**manifest, "hierfit": version, "program_sha256": "0" * 64}
        (run / "run.json").write_text(json.dumps(other))
        for command in (("extend", run), ("code", run, "--wide")):
            refused = cli(*command)
            assert refused.code == 2 and built == []
            assert "run was sampled with another Stan program than hierfit" in refused.err
            assert "hierfit fit --from run --out NEW" in refused.err
            assert ("or use hierfit 0.0.1" in refused.err) == (version == "0.0.1")


def test_a_program_that_the_user_changed_is_not_written_over(cli: Cli, run: Path) -> None:
    program = run / "model.stan"
    program.write_text("// mine\n" + program.read_text())
    changed = cli("extend", run)
    assert changed.code == 2 and "its checksum is another" in changed.err
    assert program.read_text().startswith("// mine\n")
