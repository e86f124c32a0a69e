"""Random kills of whole commands; see `tests.kills`."""

from pathlib import Path

import pytest

from tests.kills import kill_many


@pytest.mark.slow
def test_fifty_random_kills_leave_nothing_behind(tmp_path: Path) -> None:
    counts = kill_many(50, 1, tmp_path)
    assert sum(counts.values()) == 50
