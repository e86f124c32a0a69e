import os
import subprocess
from pathlib import Path

import pytest

from hierfit.stan import seals
from hierfit.stan.seals import digest_of, exposed, fault, record_of, seal, sealed, take_from_others


@pytest.fixture
def part(tmp_path: Path) -> Path:
    """A file, sealed."""
    file = tmp_path / "gaussian-77"
    file.write_bytes(b"\x7fELF")
    file.chmod(0o755)
    seal(tmp_path, file.name, {file.name: digest_of(file)})
    return file


def test_what_is_as_it_was_sealed_has_no_fault(part: Path) -> None:
    assert fault(part.parent, part.name) is None
    assert sealed(part.parent, part.name) == {part.name: digest_of(part)}
    assert sorted(path.name for path in part.parent.iterdir()) == [part.name, f"{part.name}.sha256"]


def test_sha256sum_reads_the_record(part: Path) -> None:
    subprocess.run(
        ["sha256sum", "--check", "--strict", record_of(part.parent, part.name).name], cwd=part.parent, check=True
    )


@pytest.mark.parametrize("which", ["file", "record", "folder"])
@pytest.mark.parametrize("mode", [0o775, 0o757])
def test_what_others_may_write_to_is_refused(part: Path, which: str, mode: int) -> None:
    place = {"file": part, "record": record_of(part.parent, part.name), "folder": part.parent}[which]
    place.chmod(mode)
    wrong = fault(part.parent, part.name)
    assert wrong is not None and wrong.endswith("can be written by other users")
    assert exposed(place) is not None
    take_from_others(place)
    assert fault(part.parent, part.name) is None and exposed(place) is None


def test_what_belongs_to_another_user_is_refused(part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = part.stat().st_uid
    real = os.fstat

    def of_another(handle: int) -> os.stat_result:
        found = list(real(handle))
        found[4] = owner + 4711
        return os.stat_result(found)

    monkeypatch.setattr(seals.os, "fstat", of_another)
    assert fault(part.parent, part.name) == "it belongs to another user"


def test_root_is_trusted(part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = part.stat().st_uid
    monkeypatch.setattr(seals.os, "geteuid", lambda: owner + 4711)
    expected = None if owner == 0 else "its folder belongs to another user"
    assert fault(part.parent, part.name) == expected
    assert fault(part.parent, part.name, installed_with=part) is None


@pytest.mark.parametrize("record", ["", "\n", "nonsense\n", "\xff", "0" * 64 + "  another\n"])
def test_a_record_that_does_not_speak_of_the_file_is_none(part: Path, record: str) -> None:
    record_of(part.parent, part.name).write_bytes(record.encode("latin-1"))
    assert fault(part.parent, part.name) == "nothing says what was built there"


def test_a_missing_file_is_a_fault(part: Path) -> None:
    part.unlink()
    assert fault(part.parent, part.name) == "it cannot be read (No such file or directory)"
