"""Fits without rows, side by side: what each gets, how they are watched, and how all of them stop."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hierfit.errors import Interrupted, SamplerError
from hierfit.runs import refits
from hierfit.runs.finished import Opened, open_fit
from hierfit.runs.refits import Without, refit_all
from hierfit.sampling import Progress
from tests.cli.conftest import fitted as fitted
from tests.fake_sampling import EXECUTABLE, TOOLCHAIN, fake_sampling, replace_sampler


@pytest.fixture
def opened(fitted: Path) -> Opened:
    return open_fit(fitted)


def wanted(run: Opened, count: int = 6) -> list[Without]:
    return [Without("run", run, number, np.arange(number, 32, count)) for number in range(count)]


def test_each_gets_its_rows_and_a_seed_of_its_own(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def sampler(data: Any, options: Any) -> Any:
        seen.append((options, data))
        return fake_sampling(data, options)

    replace_sampler(monkeypatch, sampler)
    each = wanted(opened)
    heard: list[float] = []
    found = refit_all(each, lambda own, likelihood, efficiency: (own.number, likelihood, efficiency),
                      lambda done, total: heard.append(done / total))  # fmt: skip
    assert [own.found[0] for own in found] == list(range(6)) == [own.wanted.number for own in found]
    seeds = {options.seed for options, _ in seen}
    assert len(seeds) == 6 and {options.draws for options, _ in seen} == {250}
    again: list[int] = []
    monkeypatch.setattr("hierfit.engines.collapsed.source.sample", lambda executable, data, options, *rest: (
        again.append(options.seed), fake_sampling(data, options))[1])  # fmt: skip
    refit_all(each, lambda own, likelihood, efficiency: 0)
    assert set(again) == seeds
    for own in found:
        _, likelihood, efficiency = own.found
        assert likelihood.design is opened.design and 0 < efficiency <= 1
        assert likelihood.n_draws == 1000
    assert heard[-1] == 1 and heard == sorted(heard)


def test_the_engine_sees_the_model_of_the_run_without_the_rows(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    given = []
    engine = refits.ENGINES[opened.record.engine]
    prepare = type(engine).prepare
    monkeypatch.setattr(type(engine), "prepare", lambda self, w, say=None: (given.append(w), prepare(self, w, say))[1])
    replace_sampler(monkeypatch)
    rows = np.array([3, 4, 20])
    refit_all([Without("run", opened, 2, rows)], lambda own, likelihood, efficiency: 0)
    (one,) = given
    assert one.spec is opened.spec and np.flatnonzero(one.design.weights == 0).tolist() == [3, 4, 20]
    assert set(one.design.weights) == {0.0, 1.0} and one.design.X is opened.design.X
    assert opened.design.weights is None


def test_weights_of_the_run_stay(opened: Opened) -> None:
    design = replace(opened.design, weights=np.full(32, 2.0)).without(np.array([1]))
    assert design.weights is not None and design.weights.tolist() == [2.0, 0.0, *[2.0] * 30]


def test_an_error_stops_the_others(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    started = []

    def sampler(data: Any, options: Any) -> Any:
        started.append(options.seed)
        raise SamplerError("A chain failed.")

    replace_sampler(monkeypatch, sampler)
    monkeypatch.setattr(refits.os, "cpu_count", lambda: 2)
    with pytest.raises(SamplerError, match="A chain failed"):
        refit_all(wanted(opened, 12), lambda own, likelihood, efficiency: 0)
    assert len(started) < 12


@pytest.mark.parametrize("at", ["progress", "between"])
def test_a_request_to_stop_is_heard_by_all(opened: Opened, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    running, stopped = threading.Event(), []

    def sample(executable: Any, data: Any, options: Any, on_progress: Callable[[Progress], None], *rest: Any) -> Any:
        running.set()
        try:
            for _ in range(3000):
                if at == "progress":
                    on_progress(Progress(1, 8000, (1,), "warmup", 0, 0.1))
                threading.Event().wait(0.01)
                if at == "between" and going[0].stop.is_set():
                    break
        except Interrupted:
            stopped.append(options.seed)
            raise
        return fake_sampling(data, options)

    going: list[Any] = []
    make = refits._Going
    monkeypatch.setattr(refits, "_Going", lambda *given: (going.append(make(*given)), going[0])[1])
    monkeypatch.setattr("hierfit.engines.built.find_toolchain", lambda choice="auto": TOOLCHAIN)
    monkeypatch.setattr("hierfit.engines.built.build_executable", lambda *arguments: EXECUTABLE)
    monkeypatch.setattr("hierfit.engines.collapsed.source.sample", sample)
    monkeypatch.setattr(refits.os, "cpu_count", lambda: 2)

    def watch(done: float, total: int) -> None:
        if running.is_set():
            raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        refit_all(wanted(opened), lambda own, likelihood, efficiency: 0, watch)
    assert threading.active_count() <= before + 1  # none is left working; ArviZ may still be read in
    assert at == "between" or 1 <= len(stopped) <= 2


def test_as_many_at_a_time_as_there_are_cores(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    lock, now, most, chains = threading.Lock(), [0], [0], set()

    def sampler(data: Any, options: Any) -> Any:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
            chains.add(options.parallel_chains)
        threading.Event().wait(0.05)
        with lock:
            now[0] -= 1
        return fake_sampling(data, options)

    replace_sampler(monkeypatch, sampler)
    monkeypatch.setattr(refits.os, "cpu_count", lambda: 3)
    refit_all(wanted(opened), lambda own, likelihood, efficiency: 0)
    assert most[0] == 3 and chains == {1}
    chains.clear()
    monkeypatch.setattr(refits.os, "cpu_count", lambda: 8)
    refit_all(wanted(opened, 2), lambda own, likelihood, efficiency: 0)
    assert chains == {4}


def test_another_engine_where_that_of_the_run_does_not_take_it(opened: Opened) -> None:
    assert refits._engine(opened, opened.design.without(np.array([1]))).name == opened.record.engine == "collapsed"
    halves = replace(opened.design, weights=np.full(32, 1.0)).without(np.array([1]))
    assert halves.weights is not None
    halves.weights[2] = 0.5
    assert refits._engine(opened, halves).name == "full"
