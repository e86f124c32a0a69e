import pytest

from hierfit.engines.timing import Estimate, estimate_by_gradient
from hierfit.sampling import SamplerOptions
from hierfit.stan.programs import StanProgram
from tests.fake_sampling import EXECUTABLE, TOOLCHAIN


def estimated(options: SamplerOptions) -> Estimate:
    found = estimate_by_gradient(StanProgram("any", ""), "auto", dict, options, warmup=100, steps=15)
    assert found is not None
    return found


@pytest.mark.parametrize(("chains", "cores", "rounds"), [(4, 2, 2), (4, 4, 1), (3, 2, 2), (1, 8, 1)])
def test_chains_that_wait_for_a_core_take_their_time(
    monkeypatch: pytest.MonkeyPatch, chains: int, cores: int, rounds: int
) -> None:
    monkeypatch.setattr("hierfit.engines.timing.os.cpu_count", lambda: cores)
    monkeypatch.setattr("hierfit.engines.timing.find_toolchain", lambda choice: TOOLCHAIN)
    monkeypatch.setattr("hierfit.engines.timing.find_executable", lambda *_: EXECUTABLE)
    monkeypatch.setattr("hierfit.engines.timing.time_gradient", lambda *_: 0.002)
    found = estimated(SamplerOptions(chains=chains, draws=300))
    assert found.seconds == pytest.approx(rounds * 400 * 15 * 0.002)
    assert found.cores == min(chains, cores)
    alone = estimated(SamplerOptions(chains=chains, draws=300, parallel_chains=1))
    assert (alone.cores, alone.seconds) == (1, pytest.approx(chains * 400 * 15 * 0.002))
