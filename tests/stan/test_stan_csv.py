from pathlib import Path

import numpy as np
import pytest

from hierfit.stan.stan_csv import ChainFiles, read_chain

HEAD = "# model = m\n#     metric = diag_e (Default)\nlp__,accept_stat__,divergent__,b.1,b.2\n"
ADAPTATION = "# Adaptation terminated\n# Step size = 0.75\n# Diagonal elements of inverse mass matrix:\n# 1.5, 0.25\n"
TIMES = "# \n#  Elapsed Time: 0.5 seconds (Warm-up)\n#                1.25e-05 seconds (Sampling)\n# \n"


@pytest.fixture
def files(tmp_path: Path) -> ChainFiles:
    return ChainFiles(tmp_path / "console.txt", tmp_path / "chain.csv")


def test_a_finished_chain(files: ChainFiles) -> None:
    files.csv.write_text(HEAD + ADAPTATION + "-1,0.9,0,1,2\n-2,0.8,1,nan,-inf\n" + TIMES)
    chain = read_chain(files)
    assert chain.names == ("lp__", "accept_stat__", "divergent__", "b.1", "b.2")
    np.testing.assert_array_equal(chain.draws, [[-1, 0.9, 0, 1, 2], [-2, 0.8, 1, np.nan, -np.inf]])
    np.testing.assert_array_equal(chain.inv_metric, [1.5, 0.25])
    assert (chain.warmup_seconds, chain.sampling_seconds) == (0.5, 1.25e-05)


def test_a_dense_metric_keeps_its_rows(files: ChainFiles) -> None:
    dense = "# Step size = 1\n# Elements of inverse mass matrix:\n# 2, 0.5\n# 0.5, 1\n"
    files.csv.write_text(HEAD + dense + "-1,0.9,0,1,2\n")
    np.testing.assert_array_equal(read_chain(files).inv_metric, [[2, 0.5], [0.5, 1]])


@pytest.mark.parametrize("torn", ["-3,0.7", "-3,0.7,0,1,2", "-3,0.7,0,1\n"])
def test_a_torn_row_is_left_out(files: ChainFiles, torn: str) -> None:
    files.csv.write_text(HEAD + ADAPTATION + "-1,0.9,0,1,2\n" + torn)
    assert read_chain(files).draws.shape == (1, 5)


def test_a_chain_that_was_stopped_in_warmup_has_no_draws(files: ChainFiles) -> None:
    files.csv.write_text("# model = m\n")
    assert len(read_chain(files).draws) == 0


def test_growing_files_are_read_on(files: ChainFiles) -> None:
    files.update()
    assert (files.iterations, files.divergences) == (0, 0)
    files.console.write_text("Iteration:    1 / 2000 [  0%]  (Warmup)\nIteration: 1001 / 2000 [ 50%]  (Samp")
    files.csv.write_text(HEAD + ADAPTATION + "-1,0.9,1,1,2\n-1,0.9,0,1,2\n-2,0.8,")
    files.update()
    assert (files.iterations, files.divergences) == (0, 1)
    with files.console.open("a") as stream:
        stream.write("ling)\n")
    with files.csv.open("a") as stream:
        stream.write("1,1,1\n")
    files.update()
    assert (files.iterations, files.divergences) == (1000, 2)  # the 1001st has begun
