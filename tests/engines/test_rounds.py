import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hierfit import workflow
from hierfit.design.design import Design
from hierfit.design.prior_choice import build_spec
from hierfit.engines import rounds, sizes
from hierfit.engines.built import Built
from hierfit.engines.engine import Wanted
from hierfit.engines.full.data import full_data
from hierfit.engines.full.layout import lay_out
from hierfit.engines.full.source import FullSource
from hierfit.engines.marginal import source as marginal
from hierfit.engines.marginal.chains import sample as sample_marginal
from hierfit.engines.marginal.density import MarginalPosterior, find_posterior
from hierfit.engines.marginal.source import MarginalSource
from hierfit.engines.rounds import Drawn, Listener, draw, draw_more, draw_or_stand_in
from hierfit.errors import DiskError, Interrupted, RunFolderError, SamplerError, ToolchainError
from hierfit.model.formula import formula_from_flags
from hierfit.model.request import FitRequest
from hierfit.model.spec import ModelSpec
from hierfit.posterior.convergence import assess
from hierfit.posterior.diagnostics import diagnose
from hierfit.runs import finished
from hierfit.runs.files import CHAINS
from hierfit.sampling import SamplerOptions, Sampling
from hierfit.stan.programs import StanProgram
from tests.engines.marginal.cases import model
from tests.fake_sampling import EXECUTABLE, fake_sampling, replace_sampler
from tests.model.cases import design

OPTIONS = SamplerOptions(chains=4, warmup=10, draws=50, seed=3)


def full_source(spec: ModelSpec, made: Design, stands_in: str | None = None) -> FullSource:
    built, layout = Built(StanProgram("gaussian", ""), EXECUTABLE, "g++"), lay_out(spec, made)
    return FullSource(built, spec, made, layout, full_data(spec, made, layout), stands_in)


def source() -> FullSource:
    made = design()
    return full_source(build_spec(formula_from_flags("y", ["a", "b"], "g", ["a"]), made), made)


class Sampler:
    """Independent draws, of which every `repeats` are the same; remembers what it was asked for."""

    def __init__(self, repeats: int = 1, stop_at: int | None = None, cut: bool = False) -> None:
        self.asked: list[SamplerOptions] = []
        self.seen: list[Mapping[str, Any]] = []
        self.repeats, self.stop_at, self.cut = repeats, stop_at, cut

    def __call__(self, data: Mapping[str, Any], options: SamplerOptions) -> Sampling:
        self.asked.append(options)
        self.seen.append(data)
        stopped = len(self.asked) == self.stop_at
        if stopped and not self.cut:
            raise Interrupted("stopped")
        # Another seed for every round, as another chain id makes another stream.
        found = fake_sampling(data, replace(options, seed=3 + options.first_chain), interrupted=stopped)
        same = np.arange(options.draws) // self.repeats * self.repeats
        variables = {name: values[:, same] for name, values in found.variables.items()}
        sampling = replace(found, variables=variables, options=replace(options, seed=3))
        return replace(sampling, step_size=sampling.step_size[:1]) if stopped else sampling


@pytest.fixture
def sampler(monkeypatch: pytest.MonkeyPatch) -> Sampler:
    made = Sampler(repeats=5)
    replace_sampler(monkeypatch, made)
    return made


def test_a_fixed_number_of_draws_is_one_round(sampler: Sampler) -> None:
    drawn = draw(source(), OPTIONS, None)
    assert (drawn.draws.n_draws, drawn.rounds, len(sampler.asked)) == (50, 1, 1)


def test_rounds_go_on_until_there_are_enough_effective_draws(sampler: Sampler) -> None:
    said: list[str] = []
    drawn = draw(source(), OPTIONS, 100, Listener(said.append))
    sizes = np.fmin(drawn.convergence.ess_bulk, drawn.convergence.ess_tail)
    assert sizes.min() >= 100
    assert 1 < drawn.rounds == len(sampler.asked) < rounds.MOST_ROUNDS
    assert drawn.draws.n_draws == 50 * drawn.rounds
    assert len(said) == drawn.rounds - 1 and said[0].startswith("Drawing on: ESS ") and " of 100 (" in said[0]


def test_later_rounds_go_on_from_the_last_draws_without_warmup(sampler: Sampler) -> None:
    drawn = draw(source(), OPTIONS, 100)
    first, second = sampler.asked[:2]
    assert (first.warmup, first.adapt, first.first_chain, first.inits) == (10, True, 1, None)
    assert (second.warmup, second.adapt, second.first_chain, second.seed) == (0, False, 5, 3)
    assert isinstance(second.inits, list) and len(second.inits) == 4
    at_end = drawn.draws.of("b")[:, 49]  # the program's b holds coefficients less their location, which is 0 for b
    np.testing.assert_allclose([inits["b"][2] for inits in second.inits], at_end)
    assert not np.array_equal(drawn.draws.values[:, :50], drawn.draws.values[:, 50:100])


def test_later_rounds_see_the_effects_as_the_draws_before_do(sampler: Sampler) -> None:
    first = draw(source(), OPTIONS, None)
    assert first.state.data is sampler.seen[0]
    revised = {**sampler.seen[0], "narrowed": 0.5 * sampler.seen[0]["narrowed"]}
    draw_more(source(), OPTIONS, replace(first, state=replace(first.state, data=revised)), None)
    assert sampler.seen[1] is revised


def test_it_gives_up_where_ten_rounds_would_not_do(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = Sampler(repeats=50)
    replace_sampler(monkeypatch, stuck)
    drawn = draw(source(), OPTIONS, 400)
    assert drawn.rounds == 1 and len(stuck.asked) == 1


def test_many_group_effects_make_short_rounds(sampler: Sampler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "MANY_EFFECTS", 3)
    monkeypatch.setattr(sizes, "SHORT_ROUND", 20)
    monkeypatch.setattr(rounds, "LARGE_RHAT", 9.0)
    draw(source(), OPTIONS, 1)
    draw(source(), OPTIONS, None)
    assert [options.draws for options in sampler.asked] == [20, 50]


def test_short_rounds_go_on_while_chains_disagree(sampler: Sampler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "MANY_EFFECTS", 3)
    monkeypatch.setattr(sizes, "SHORT_ROUND", 20)
    heard: list[str] = []
    drawn = draw(source(), OPTIONS, 1, Listener(heard.append))
    assert [options.draws for options in sampler.asked] == [20, 20, 20]  # of the 50 that are asked for
    assert drawn.draws.n_draws == 60 and heard[0].startswith("Drawing on: R-hat ")
    assert heard[1].endswith("after 40 draws of 4 chains")


def marginal_source(spec: ModelSpec, made: Design) -> MarginalSource:
    wanted = Wanted(spec, made, seed=1)
    return MarginalSource(StanProgram("gaussian", ""), find_posterior(spec, made, 1), 0.0, wanted)


def test_one_large_matrix_makes_shorter_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    spec, made = model("y ~ a + (1 | g) + (1 | h)")
    large = marginal_source(spec, made)
    monkeypatch.setattr(marginal, "MATRIX_ROUND", 60)
    monkeypatch.setattr(rounds, "LARGE_RHAT", 2.0)
    assert draw(large, OPTIONS, 1).draws.n_draws == 50
    options = replace(OPTIONS, draws=100)
    assert draw(large, options, 1).draws.n_draws == 100
    monkeypatch.setattr(marginal, "MANY_TOGETHER", 4)  # of h's 5 levels
    drawn = draw(large, options, 1)
    assert drawn.draws.n_draws == 60 and drawn.start is not None and drawn.start.origin == "proposal"
    more = draw_more(large, replace(options, draws=30), drawn, None)
    assert more.draws.n_draws == 90 and more.rounds == 2


@pytest.mark.parametrize(("weights", "first"), [((1.0, 1.0, 1.0), 250), ((1.0, 1.0, 0.2), 400)])
def test_chains_that_hardly_ever_stay_make_rounds_shorter_still(
    weights: tuple[float, ...], first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marginal, "MANY_TOGETHER", 4)
    source = marginal_source(*model("y ~ a + (1 | g) + (1 | h)"))
    pilot = replace(source.posterior.pilot, weights=np.array(weights) / sum(weights))
    assert replace(source, posterior=replace(source.posterior, pilot=pilot)).first_round == first


@pytest.mark.parametrize("cut", [False, True])
def test_an_interrupt_keeps_the_rounds_before_it(cut: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_sampler(monkeypatch, Sampler(repeats=5, stop_at=2, cut=cut))
    drawn = draw(source(), OPTIONS, 100)
    assert drawn.interrupted and drawn.draws.n_draws == 50 and drawn.rounds == 1


def lose(monkeypatch: pytest.MonkeyPatch, round_: int, draws: int = 50) -> None:
    """Let the second of four chains be killed in a round."""
    asked: list[int] = []

    def sample(data: Mapping[str, Any], options: SamplerOptions) -> Sampling:
        asked.append(options.chains)
        if len(asked) != round_:
            return fake_sampling(data, replace(options, seed=len(asked)))
        whole = fake_sampling(data, replace(options, draws=draws))
        kept = [chain for chain in range(options.chains) if chain != 1]
        return replace(
            whole,
            variables={name: values[kept] for name, values in whole.variables.items()},
            stats={name: values[kept] for name, values in whole.stats.items()},
            step_size=whole.step_size[kept],
            inv_metric=whole.inv_metric[kept],
            lost=(1,),
        )

    replace_sampler(monkeypatch, sample)


def test_the_chains_beside_one_that_is_killed_are_kept_and_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for round_ in (1, 2):
        lose(monkeypatch, round_)
        drawn = draw(source(), OPTIONS, 200)
        assert (drawn.draws.n_chains, drawn.draws.lost_chains, drawn.state.n_chains) == (3, 1, 3)
        assert drawn.rounds > 1 and drawn.draws.n_draws == 50 * drawn.rounds and not drawn.interrupted
        assert drawn.draws.effects["g"].shape[:2] == drawn.draws.stats["lp"].shape == (3, drawn.draws.n_draws)


def test_a_round_that_would_cost_more_draws_than_it_brings_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    lose(monkeypatch, 2, draws=10)
    first = draw(source(), OPTIONS, None)
    more = draw_more(source(), OPTIONS, first, None)
    assert (more.draws.n_chains, more.draws.n_draws, more.draws.lost_chains, more.rounds) == (4, 50, 1, 1)


@pytest.mark.parametrize("error", [SamplerError("all chains were killed"), DiskError("the disk is full")])
def test_a_later_round_that_fails_loses_no_draws(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def sample(data: Mapping[str, Any], options: SamplerOptions) -> Sampling:
        asked.append(1)
        if len(asked) == 2:
            raise error
        return fake_sampling(data, options)

    replace_sampler(monkeypatch, sample)
    said: list[str] = []
    drawn = draw(source(), OPTIONS, 300, Listener(said.append))
    assert (drawn.draws.n_draws, drawn.rounds) == (50, 1) and str(error) in said[-1]
    asked.clear()
    asked.append(1)
    with pytest.raises(type(error)):  # there is nothing new to keep
        draw_more(source(), OPTIONS, drawn, 300)


def test_a_request_to_stop_while_draws_are_worked_out_keeps_them(
    sampler: Sampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = FullSource.draws

    def interrupted(*arguments: Any) -> Any:
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        return real(*arguments)

    monkeypatch.setattr(FullSource, "draws", interrupted)
    first = draw(source(), OPTIONS, 100)
    assert first.interrupted and first.draws.n_draws == 50
    more = draw_more(source(), OPTIONS, replace(first, interrupted=False), None)
    assert more.interrupted and more.draws.n_draws == 100


def test_drawing_more_adds_one_round_or_as_many_as_are_needed(sampler: Sampler) -> None:
    first = draw(source(), OPTIONS, None)
    assert draw_more(source(), OPTIONS, first, None).draws.n_draws == 100
    more = draw_more(source(), OPTIONS, first, 100)
    assert assess(more.draws.values).ess_bulk.min() >= 100 and more.rounds > 2
    np.testing.assert_array_equal(more.draws.values[:, :50], first.draws.values)


def test_fixed_parameters_have_draws_enough(sampler: Sampler) -> None:
    drawn: Drawn = draw(source(), OPTIONS, None)
    nothing = replace(drawn.convergence, ess_bulk=drawn.convergence.ess_bulk * np.nan)
    nothing = replace(nothing, ess_tail=nothing.ess_bulk)
    assert rounds.least_effective(replace(drawn, convergence=nothing)) == (np.inf, "")


@pytest.mark.stan
def test_extending_a_run_is_sampling_longer(tmp_path: Path) -> None:
    """Half the draws now and half later have the moments of all at once."""
    data = tmp_path / "data.csv"
    made = design()
    rows = zip(made.y, made.X[:, 0], made.groups[0].codes, strict=True)
    lines = [f"{y:.6f},{a:.6f},g{code}" for y, a, code in rows]
    data.write_text("\n".join(["y,a,g", *lines]) + "\n")
    formula = formula_from_flags("y", ["a"], "g")
    request = FitRequest(data, formula, engine="full", sampler=SamplerOptions(seed=1, warmup=500, draws=500))
    half = workflow.fit(workflow.prepare(request), tmp_path / "run")
    before = half.draws.values
    whole = workflow.extend(tmp_path / "run", until_ess=2 * int(half.summary.row("sd(g)").ess_bulk))
    stored = finished.load(tmp_path / "run")
    np.testing.assert_array_equal(stored.draws.values[:, :500], before)
    assert stored.manifest["rounds"] == whole.manifest["rounds"] > 1
    assert stored.manifest["seconds"]["sampling"] > half.manifest["seconds"]["sampling"]
    # 4 errors of the difference, each from its own effective sample size; the halves are nearly independent.
    later = whole.draws.values[:, 500:]
    error = np.hypot(assess(before).mcse_mean, assess(later).mcse_mean)
    assert (np.abs(before.mean(axis=(0, 1)) - later.mean(axis=(0, 1))) < 4 * error).all()
    assert whole.diagnosis.status == "ok"


def test_a_run_without_its_chains_cannot_be_extended(tmp_path: Path, sampler: Sampler) -> None:
    data = tmp_path / "data.csv"
    data.write_text("y,g\n" + "".join(f"{i % 7},g{i % 5}\n" for i in range(40)))
    request = FitRequest(data, formula_from_flags("y", [], "g"), sampler=OPTIONS)
    workflow.fit(workflow.prepare(request), tmp_path / "run")
    (tmp_path / "run" / CHAINS).unlink()
    with pytest.raises(RunFolderError, match=r"chains\.npz could not be read"):
        workflow.extend(tmp_path / "run", 10)


def with_a_heavy_point(weight: float, rounds_of: int) -> Callable[..., Sampling]:
    """Sample as `engines.marginal` does; in the first rounds one point has that weight, over the average."""
    asked: list[SamplerOptions] = []

    def sample(posterior: MarginalPosterior, options: SamplerOptions, on_progress: object = None) -> Sampling:
        asked.append(options)
        sampling = sample_marginal(posterior, options)
        if len(asked) <= rounds_of:
            log_weight = sampling.stats["log_weight"]
            log_weight[0, 0] = np.log(weight * np.exp(log_weight).mean())
        return sampling

    return sample


@pytest.mark.parametrize(("until_ess", "heavy_rounds", "weight"), [(1, 1, 60.0), (1, 9, 200.0), (None, 1, 60.0)])
def test_a_heavy_weight_asks_for_draws_and_then_for_another_source(
    until_ess: int | None, heavy_rounds: int, weight: float, sampler: Sampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, made = model("y ~ a + (1 | g) + (1 | h)")
    monkeypatch.setattr("hierfit.engines.marginal.source.sample", with_a_heavy_point(weight, heavy_rounds))
    # Among weights that are all alike one of 60 is a matter of shape, however many there are.
    monkeypatch.setattr("hierfit.engines.marginal.density.sharpen", lambda *given: given[1:3])
    monkeypatch.setattr("hierfit.engines.full.source.open_full", lambda _, say, why: full_source(spec, made, why))
    start, heard = marginal_source(spec, made), list[str]()
    after, drawn = draw_or_stand_in(start, replace(OPTIONS, draws=500), until_ess, Listener(heard.append))
    if until_ess and heavy_rounds == 1:  # two more rounds, and the weight is no longer too much of all
        assert after is start and drawn.rounds == 3 and heard[0].startswith("Drawing on: one draw has ")
        return
    assert isinstance(after, FullSource) and not sampler.asked[0].first_chain > 1
    assert after.stands_in is not None and after.stands_in.startswith("of its weights, Pareto k ")
    assert after.describe()["stands_in"] == after.stands_in
    assert any(line.startswith("The full engine stands in for the marginal one: of its weights") for line in heard)


def test_without_stan_the_draws_stay_and_the_checks_speak(monkeypatch: pytest.MonkeyPatch) -> None:
    spec, made = model("y ~ a + (1 | g) + (1 | h)")
    heard: list[str] = []

    def missing(choice: str) -> None:
        raise ToolchainError("there is no Stan")

    monkeypatch.setattr("hierfit.engines.marginal.source.sample", with_a_heavy_point(60.0, 1))
    monkeypatch.setattr("hierfit.engines.built.find_toolchain", missing)
    start = marginal_source(spec, made)
    after, drawn = draw_or_stand_in(start, replace(OPTIONS, draws=500), None, Listener(heard.append))
    assert after is start and heard[-1].startswith("Nothing stands in for the marginal engine: there is no Stan")
    assert "weight" in [found.check for found in diagnose(drawn.draws, made, spec).findings]


@pytest.mark.parametrize("whose", ["b", "effects"])
@pytest.mark.parametrize(("apart", "goes_on"), [(0.0, False), (0.25, True), (1.0, False)])
def test_chains_that_differ_a_little_draw_on(whose: str, apart: float, goes_on: bool, sampler: Sampler) -> None:
    """Of a few hundred draws R-hat may be above 1.01 by chance, which more of them cure; far above, not."""
    drawn = draw(source(), replace(OPTIONS, draws=400), None)
    rng = np.random.default_rng(1)
    away = apart * np.array([-1.0, 1.0, 0.0, 0.0])[:, np.newaxis]
    values = rng.normal(size=drawn.draws.values.shape)
    effects = {factor: rng.normal(size=u.shape) for factor, u in drawn.draws.effects.items()}
    if whose == "b":
        values[:, :, 1] += away
    else:
        effects["g"][:, :, 0, 0] += away
    given = replace(drawn, draws=replace(drawn.draws, values=values, effects=effects), convergence=assess(values))
    assert (rounds._lacking(given, 1, 10) is not None) is goes_on
    assert rounds._lacking(replace(given, rounds=4), 1, 10) is None
