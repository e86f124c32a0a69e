import pytest

from hierfit.stan.doctor import Finding
from tests.cli.conftest import Cli
from tests.fake_sampling import TOOLCHAIN


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record what is built; let nothing be examined."""
    built: list[str] = []

    def build_all(toolchain: object, say: object) -> None:
        assert toolchain is TOOLCHAIN
        built.append("all")

    monkeypatch.setattr("hierfit.machine.find_toolchain", lambda choice: TOOLCHAIN)
    monkeypatch.setattr("hierfit.machine.build_all", build_all)
    return built


def test_build_compiles_all_programs_before_the_findings(
    cli: Cli, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hierfit.machine.examine", lambda *_: [Finding("built programs", asked == ["all"], "13")])
    done = cli("doctor", "--build")
    assert (done.code, done.out) == (0, "ok    built programs  13\nThis machine can fit.\n")


def test_without_it_nothing_is_built(cli: Cli, asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hierfit.machine.examine", lambda *_: [Finding("compiler", False, "none", "install one")])
    done = cli("doctor")
    assert done.code == 3 and asked == []
    assert done.out == f"FAIL  compiler        none\n{'':<22}try: install one\n"
