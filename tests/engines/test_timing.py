import pytest

from hierfit.engines.timing import estimate_time
from hierfit.sampling import SamplerOptions
from tests.fake_sampling import EXECUTABLE


@pytest.mark.parametrize(("chains", "cores", "rounds"), [(4, 2, 2), (4, 4, 1), (3, 2, 2), (1, 8, 1)])
def test_chains_that_wait_for_a_core_take_their_time(
    monkeypatch: pytest.MonkeyPatch, chains: int, cores: int, rounds: int
) -> None:
    monkeypatch.setattr("hierfit.engines.timing.os.cpu_count", lambda: cores)
    monkeypatch.setattr("hierfit.engines.timing.time_gradient", lambda *_: 0.002)
    found = estimate_time(EXECUTABLE, {}, SamplerOptions(chains=chains, draws=300), 100, 15)
    assert found.seconds == pytest.approx(rounds * 400 * 15 * 0.002)
    assert found.cores == min(chains, cores)
    alone = estimate_time(EXECUTABLE, {}, SamplerOptions(chains=chains, draws=300, parallel_chains=1), 100, 15)
    assert (alone.cores, alone.seconds) == (1, pytest.approx(chains * 400 * 15 * 0.002))
