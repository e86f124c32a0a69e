from pathlib import Path

import pytest

from hierfit.errors import ToolchainError
from hierfit.stan.cache import cache_dir, cache_size, locked, workplace


def nothing() -> None:
    """Stop nothing, say nothing."""


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("HIERFIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_cache_size_counts_what_is_there(cache: Path) -> None:
    assert (cache_dir(), cache_size()) == (cache, 0)
    (cache / "2.35.0").mkdir(parents=True)
    (cache / "2.35.0" / "gaussian").write_text("x" * 10)
    assert cache_size() == 10


def test_a_folder_is_closed_to_others(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.mkdir()
    cache.chmod(0o777)
    with locked(cache, "a", nothing):
        assert cache.stat().st_mode & 0o777 == 0o755
    cache.chmod(0o777)
    monkeypatch.setattr(Path, "chmod", lambda path, mode: None)  # one that somebody else may close
    with pytest.raises(ToolchainError, match="can be written by other users") as caught, locked(cache, "a", nothing):
        pass
    assert "a folder of your own" in (caught.value.hint or "")


def test_locks_of_different_parts_do_not_wait_for_each_other(cache: Path) -> None:
    waited: list[str] = []
    with locked(cache, "a", nothing), locked(cache, "b", nothing, lambda: waited.append("b")):
        assert waited == []


def test_waiting_ends_when_the_build_is_stopped(cache: Path) -> None:
    waited: list[str] = []

    def stop() -> None:
        raise ToolchainError("stopped")

    second = locked(cache, "a", stop, lambda: waited.append("a"))
    with locked(cache, "a", nothing), pytest.raises(ToolchainError, match="stopped"), second:
        pass
    assert waited == ["a"]


def test_a_workplace_is_gone_afterwards_and_takes_only_leftovers_along(cache: Path) -> None:
    cache.mkdir()
    for name in ("own.building-1", "killed.building-2", "busy.building-3"):
        (cache / name).mkdir()
        (cache / name / "model.cpp").write_text("")
    with locked(cache, "busy", nothing), locked(cache, "own", nothing), workplace(cache, "own") as folder:
        assert folder.parent == cache and folder.name.startswith("own.building-")
        assert {path.name for path in cache.glob("*.building-*")} == {folder.name, "busy.building-3"}
    assert [path.name for path in cache.glob("*.building-*")] == ["busy.building-3"]
