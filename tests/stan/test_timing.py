from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hierfit.errors import SamplerError
from hierfit.stan.executable import Executable
from hierfit.stan.timing import time_gradient
from tests.stan.conftest import script

# A program that takes 2 ms a gradient, as it says itself: draws of 7 steps each, in the file that it was told.
SLOW = """#!/bin/sh
for word in "$@"; do case $word in num_samples=*) n=${word#*=};; file=*.csv) out=${word#*=};; esac; done
echo "Gradient evaluation took GUESS seconds"
echo lp__,n_leapfrog__ > $out
for i in $(seq $n); do echo 0,7 >> $out; done
echo "#  Elapsed Time: 0 seconds (Warm-up)" >> $out
echo "#               $(echo $n | awk '{print $1 * 7 * 0.002}') seconds (Sampling)" >> $out
echo "$@" >> $(dirname "$0")/calls
"""


def program(folder: Path, text: str) -> Executable:
    return Executable(script(folder / "program", text), "d" * 64, "bundled", "2.35.0")


def test_a_gradient_is_timed_over_half_a_second(tmp_path: Path) -> None:
    slow = program(tmp_path, SLOW.replace("GUESS", "0.001"))
    assert time_gradient(slow, {"N": 1}) == pytest.approx(0.002)
    first, second = (tmp_path / "calls").read_text().splitlines()
    assert "num_samples=1 num_warmup=0 adapt engaged=0" in first
    assert "num_samples=71 " in second  # 71 draws of 7 steps of 1 ms, as the first run has guessed


def test_a_gradient_that_takes_long_is_timed_once(tmp_path: Path) -> None:
    assert time_gradient(program(tmp_path, SLOW.replace("GUESS", "0.4")), {"N": 1}) == 0.4
    assert len((tmp_path / "calls").read_text().splitlines()) == 1


def test_a_program_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(SamplerError, match="no finite starting point"):
        time_gradient(program(tmp_path, "#!/bin/sh\necho no finite starting point\nexit 1\n"), {"N": 1})


@pytest.mark.stan
def test_a_real_gradient(conjugate: Executable, conjugate_data: Mapping[str, Any]) -> None:
    assert 1e-8 < time_gradient(conjugate, conjugate_data) < 0.1


@pytest.mark.stan
def test_real_data_that_do_not_fit_the_program(conjugate: Executable) -> None:
    with pytest.raises(SamplerError, match="variable name=y"):
        time_gradient(conjugate, {"N": 4})
