from pathlib import Path

import numpy as np
import pytest

from hierfit.engines.chain_state import ChainState
from hierfit.errors import RunFolderError
from hierfit.sampling import SamplerOptions

STATE = ChainState(
    np.array([0.5, 0.25]),
    np.array([np.eye(2), 2 * np.eye(2)]),
    "dense_e",
    {"b": np.arange(6.0).reshape(2, 3), "sigma": np.array([1.5, 2.5])},
    8,
)


def test_it_comes_back_from_its_file(tmp_path: Path) -> None:
    STATE.save(tmp_path / "chains.npz")
    back = ChainState.load(tmp_path / "chains.npz")
    for name in ("step_size", "inv_metric"):
        np.testing.assert_array_equal(getattr(back, name), getattr(STATE, name))
    assert (back.metric, back.used, set(back.last)) == ("dense_e", 8, {"b", "sigma"})
    np.testing.assert_array_equal(back.last["b"], STATE.last["b"])


def test_options_go_on_from_where_the_chains_stand() -> None:
    options = STATE.options(SamplerOptions(chains=4, draws=30, seed=9))
    assert (options.chains, options.draws, options.seed, options.warmup, options.adapt) == (2, 30, 9, 0, False)
    assert (options.metric, options.first_chain) == ("dense_e", 9)
    assert isinstance(options.inits, list)
    assert options.inits[1]["sigma"] == 2.5


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_a_damaged_file_is_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "chains.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RunFolderError, match="could not be read"):
        ChainState.load(path)
