from dataclasses import replace
from pathlib import Path

import pytest

from hierfit.stan.doctor import Finding, examine, trial_fit
from hierfit.stan.executable import executable_path
from hierfit.stan.programs import StanProgram, all_programs
from hierfit.stan.toolchain import Toolchain
from tests.stan.conftest import program, sealed_script


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("CMDSTAN", "CXX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HIERFIT_CACHE", str(tmp_path / "cache"))


def named(findings: tuple[Finding, ...]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def test_every_finding_that_is_not_ok_has_advice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CMDSTAN", str(tmp_path / "nowhere"))
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HIERFIT_CACHE", str(tmp_path / "file" / "cache"))
    findings = examine("bundled")
    bad = {finding.name for finding in findings if not finding.ok}
    assert bad == {"compiler", "CMDSTAN", "cache"}
    assert all(finding.advice for finding in findings if not finding.ok)


def test_a_missing_compiler_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    compiler = named(examine("bundled"))["compiler"]
    assert not compiler.ok and "apt install g++" in compiler.advice


@pytest.mark.parametrize("missing", [[], ["gaussian"]], ids=["all built", "one missing"])
def test_a_compiler_is_needed_only_where_a_program_is_missing(
    fake_toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch, missing: list[str]
) -> None:
    for made in all_programs():
        if made.name not in missing:
            sealed_script(executable_path(made, fake_toolchain), "")
    bare = replace(fake_toolchain, compiler=(), compiler_version="", fingerprint="0" * 64)
    monkeypatch.setattr("hierfit.stan.doctor.find_toolchain", lambda choice: bare)
    findings = named(examine())
    assert findings["compiler"].ok is (not missing)
    assert findings["built programs"].ok
    total = len(list(all_programs()))
    assert findings["built programs"].value.startswith(f"{total - len(missing)} of {total}")
    assert findings["built programs"].value.endswith("gaussian" if missing else str(total))


def test_a_program_that_was_changed_is_found(fake_toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hierfit.stan.doctor.find_toolchain", lambda choice: fake_toolchain)
    place = sealed_script(executable_path(next(all_programs()), fake_toolchain), "")
    assert "changed" not in named(examine())
    place.write_text("#!/bin/sh\ntrue")
    findings = named(examine())
    assert findings["changed"].ok and findings["changed"].value.startswith(f"{place}: its checksum is not")
    assert findings["built programs"].value.startswith("0 of")


def test_a_missing_toolchain_still_reports_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CMDSTAN", str(tmp_path / "nowhere"))
    findings = named(examine("cmdstan"))
    assert not findings["toolchain"].ok and "nowhere" in findings["toolchain"].value
    assert findings["cache"].ok and findings["free disk"].ok


def test_cmdstan_needs_make_and_paths_without_spaces(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    root = tmp_path / "my cmdstan"
    (root / "bin").mkdir(parents=True)
    (root / "makefile").write_text("CMDSTAN_VERSION := 2.36.0\n")
    (root / "bin" / "stanc").write_text("")
    monkeypatch.setenv("CMDSTAN", str(root))
    monkeypatch.setenv("PATH", str(tmp_path))
    findings = named(examine())
    assert findings["Stan"].value == "2.36.0"
    assert not findings["make"].ok and not findings["paths"].ok and not findings["stanc"].ok


def test_a_trial_that_fails_is_a_finding(fake_toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hierfit.stan.doctor.find_toolchain", lambda choice: fake_toolchain)
    monkeypatch.setenv("FAKE_ERROR", "no luck")
    finding = trial_fit(StanProgram("p", "model {}"), {})
    assert not finding.ok and "no luck" in finding.value and finding.advice


@pytest.mark.stan
def test_a_trial_samples(monkeypatch: pytest.MonkeyPatch, no_parameters: object) -> None:
    monkeypatch.delenv("HIERFIT_CACHE")
    finding = trial_fit(program("no_parameters"), {"scale": 1.0}, "bundled")
    assert finding.ok and "2 chains sampled" in finding.value
