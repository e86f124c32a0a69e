"""Whatever a file, a formula, a prior or an option holds: a model, or a refusal in words, and nothing raw on screen."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given

from tests import hostile
from tests.hostile import CSV, PROFILE, bear, options

SEEN: Counter[str] = Counter()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "data.csv").write_text(CSV)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setenv("HIERFIT_CACHE", str(folder / "no-programs"))
        yield folder
    print(dict(SEEN))


def count(what: str, code: int) -> None:
    SEEN[f"{what}: {'a model' if code == 0 else 'refused'}"] += 1


@PROFILE
@given(file=hostile.files(), flags=hostile.st.sampled_from(["y ~ x + (1 | g)", "y ~ x", "y ~ 1 + (x | g)", "y ~ g"]))
def test_a_file(folder: Path, file: tuple[str, bytes], flags: str) -> None:
    name, content = file
    place = folder / "files"
    place.mkdir(exist_ok=True)
    (place / name).write_bytes(content)
    count("file", bear(options(flags, name), place))


@PROFILE
@given(formula=hostile.FORMULAS)
def test_a_formula(folder: Path, formula: str) -> None:
    count("formula", bear(options(formula), folder))


@PROFILE
@given(prior=hostile.PRIORS)
def test_a_prior(folder: Path, prior: str) -> None:
    count("prior", bear([*options("y ~ x + w + (1 + x | g)"), f"--prior={prior}"], folder))


@PROFILE
@given(flags=hostile.FLAGS)
def test_options(folder: Path, flags: list[str]) -> None:
    count("options", bear(["fit", "data.csv", "--y=y", "--dry-run", *flags], folder))
