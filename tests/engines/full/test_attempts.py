"""The full engine's attempts: what is tried, in which order, which is kept, and what is said of it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hierfit.design.building import build_design
from hierfit.design.prior_choice import build_spec
from hierfit.engines.full.attempts import CAREFUL, CROWDED_DELTA, MORE_CAREFUL, Views, sample_after_short_warmup
from hierfit.engines.full.engine import FULL
from hierfit.engines.full.revision import revise
from hierfit.engines.start import SHORT_WARMUP, Start
from hierfit.errors import Interrupted, SamplerError
from hierfit.model.formula import formula_from_flags
from hierfit.model.formula_text import parse_formula
from hierfit.plain import to_plain
from hierfit.sampling import SamplerOptions, Sampling
from hierfit.stan.executable import Executable
from hierfit.stan.theta import part
from tests.fake_sampling import EXECUTABLE, fake_sampling
from tests.model.cases import design, nested_table

Array = NDArray[np.float64]
OPTIONS = SamplerOptions(seed=3)
NAMES = ("sd(g)", "sd(g: a)")
Asked = list[tuple[list[bool], int, float | None]]


def views(centred: str = "11", *, prior_only: bool = False, rows: int = 40) -> Views:
    """y ~ a + b + (1 + a | g); 8 levels."""
    formula, made = formula_from_flags("y", ["a", "b"], "g", ["a"]), design(rows=rows)
    spec = build_spec(formula, made, (), prior_only=prior_only)

    def seen(narrowed: Array) -> Mapping[str, Any]:
        return FULL.data(spec, made, narrowed=narrowed)

    return Views(seen(np.where([digit == "1" for digit in centred], 0.5, 1.0)), seen, NAMES)


def columns(narrowed: Array) -> list[bool]:
    """Return whether more than half of the 8 levels of each of both columns are seen with their mean."""
    return (np.median(narrowed.reshape(2, 8), axis=1) < 1).tolist()  # type: ignore[no-any-return]


def sampler(asked: Asked, divergent: Callable[[Mapping[str, Any], SamplerOptions], int]) -> Callable[..., Sampling]:
    """Draws that say nothing of the effects, the first so many of which diverge."""

    def sample(executable: Executable, data: Mapping[str, Any], options: SamplerOptions, *_: object) -> Sampling:
        asked.append((columns(data["narrowed"]), options.warmup_iterations, options.adapt_delta))
        made = fake_sampling(data, options)
        own = {"theta_std": np.concatenate([made.variables["sd"], made.variables["aux"]], axis=2)}
        diverging = np.arange(4000).reshape(4, 1000) < divergent(data, options)
        return replace(made, variables={**made.variables, **own}, stats={**made.stats, "diverging": diverging})

    return sample


def start(asked: Asked, divergent: Callable[..., int], given: Views, options: SamplerOptions = OPTIONS) -> Start:
    return sample_after_short_warmup(EXECUTABLE, given, options, None, sampler(asked, divergent))[1]


def test_what_goes_well_is_kept() -> None:
    asked: Asked = []
    found = start(asked, lambda *_: 0, views())
    assert asked == [([True, True], SHORT_WARMUP, None)]
    assert (found.warmup, found.reason, found.attempts, found.centered) == (SHORT_WARMUP, None, (), NAMES)


def test_a_funnel_is_met_by_another_view_and_not_by_a_longer_warmup() -> None:
    asked: Asked = []
    found = start(asked, lambda data, _: 500 * int((data["narrowed"] < 1).any()), views())
    assert asked == [([True, True], SHORT_WARMUP, None), ([False, False], SHORT_WARMUP, None)]
    assert (found.warmup, found.reason, found.tried, found.centered) == (SHORT_WARMUP, "500 divergent", "after 300", ())
    assert to_plain(found)["attempts"] == ["after 300: 500 divergent"] and to_plain(found)["centered"] == []


def test_what_still_diverges_is_done_again_in_smaller_steps_with_the_better_view() -> None:
    asked: Asked = []
    found = start(
        asked, lambda data, options: 0 if options.adapt_delta else 300 + 9 * int(data["narrowed"][0] < 1), views()
    )
    assert [one[1:] for one in asked] == [(SHORT_WARMUP, None), (SHORT_WARMUP, None), (1000, MORE_CAREFUL)]
    assert asked[2][0] == [False, False] and found.warmup == 1000 and len(found.attempts) == 2
    assert found.attempts[1] == "after 300, centred anew: 300 divergent"


def test_what_fails_in_small_steps_is_seen_in_another_way_once_more() -> None:
    def divergent(data: Mapping[str, Any], options: SamplerOptions) -> int:
        if (data["narrowed"] < 1).any():
            return 300 if options.adapt_delta else 100
        return 0 if options.adapt_delta else 200

    found = start([], divergent, views())
    tried = ["after 300: 100 divergent", "after 300, centred anew: 200 divergent", "carefully: 300 divergent"]
    assert list(found.attempts) == tried and found.centered == () and found.warmup == 1000


@pytest.mark.parametrize(("steps", "attempts"), [(7, ("after 300: 2 divergent",)), (1023 * 10, ())])
def test_two_divergences_are_worth_an_attempt_that_takes_seconds(steps: int, attempts: tuple[str, ...]) -> None:
    asked: Asked = []
    draw = sampler(asked, lambda _, options: 0 if options.adapt_delta else 2)

    def sample(*given: Any) -> Sampling:
        made = draw(*given)
        return replace(made, stats={**made.stats, "n_steps": np.full((4, 1000), steps)})

    assert sample_after_short_warmup(EXECUTABLE, views("00"), OPTIONS, None, sample)[1].attempts == attempts
    assert [one[1:] for one in asked[1:]] == [(SHORT_WARMUP, CAREFUL)] * len(attempts)


@pytest.mark.parametrize(("steps", "delta"), [(7, MORE_CAREFUL), (1023 * 10, CAREFUL)])
def test_much_smaller_steps_are_for_attempts_that_take_seconds(steps: int, delta: float) -> None:
    asked: Asked = []
    draw = sampler(asked, lambda *_: 300)

    def sample(*given: Any) -> Sampling:
        made = draw(*given)
        return replace(made, stats={**made.stats, "n_steps": np.full((4, 1000), steps)})

    sample_after_short_warmup(EXECUTABLE, views("00"), OPTIONS, None, sample)
    assert asked[-1][1:] == (1000, delta)


def test_the_best_attempt_is_kept() -> None:
    found = start([], lambda _, options: 900 if options.adapt_delta else 300, views("00"))
    assert found.warmup == SHORT_WARMUP and found.attempts == ("carefully: 900 divergent",)


def test_a_stop_or_a_failure_of_a_later_attempt_loses_nothing() -> None:
    for error, interrupted in ((Interrupted("stopped"), True), (SamplerError("failed"), False)):
        asked: Asked = []
        draw = sampler(asked, lambda *_: 300)

        def sample(*given: Any, draw: Callable[..., Sampling] = draw, error: Exception = error) -> Sampling:
            if given[2].adapt_delta:
                raise error
            return draw(*given)

        sampling, found = sample_after_short_warmup(EXECUTABLE, views("00"), OPTIONS, None, sample)
        assert sampling.interrupted == interrupted and sampling.stats["lp"].shape == (4, 1000)
        assert (found.warmup, found.attempts) == (SHORT_WARMUP, ())


def test_as_many_effects_as_rows_want_small_steps_from_the_start() -> None:
    asked: Asked = []
    start(asked, lambda *_: 0, views(rows=24))
    assert asked == [([True, True], SHORT_WARMUP, CROWDED_DELTA)]


def test_what_the_user_has_set_is_left_alone() -> None:
    for given, options in ((views(), SamplerOptions(seed=3, warmup=70)), (views(prior_only=True), OPTIONS)):
        asked: Asked = []
        found = start(asked, lambda *_: 4000, given, options)
        assert [one[1] for one in asked] == [found.warmup] == [options.warmup_iterations]
        assert found.reason is None


def drawn(data: Mapping[str, Any], sd: Array, effects: Array) -> Sampling:
    """Draws of those sds [chains, draws, C] and z [chains, draws, J M]."""
    made = fake_sampling(data, OPTIONS)
    return replace(made, variables={**made.variables, "sd": sd * part(data["theta_scale"], "sd", data), "z": effects})


def test_the_draws_say_what_is_centred() -> None:
    rng = np.random.default_rng(1)
    sd = np.exp(rng.normal(0, 0.1, (4, 1000, 2)))
    known, unknown = rng.normal(0, 0.3, (4, 1000, 8)), rng.normal(0, 1, (4, 1000, 8))
    z = np.concatenate([known + np.linspace(-2, 2, 8), unknown], axis=2)
    for centred in ("11", "00", "10"):
        data = views(centred).data
        assert columns(revise(drawn(data, sd, z), data)) == [True, False]
    uncertain = np.exp(rng.normal(0, 2, (4, 1000, 2)))  # near 0 as well
    data = views("00").data
    assert columns(revise(drawn(data, uncertain, z), data)) == [False, False]


def test_where_draws_diverge_centred_is_what_is_so_beyond_doubt() -> None:
    rng = np.random.default_rng(1)
    sd = np.exp(rng.normal(0, [0.1, 0.7], (4, 1000, 2)))
    known = np.concatenate([rng.normal(0, 0.4, (4, 1000, 8)) + np.linspace(-2, 2, 8)] * 2, axis=2)
    data = views("00").data
    found = drawn(data, sd, known)
    assert columns(revise(found, data)) == [True, True]
    anywhere = np.arange(4000).reshape(4, 1000) % 400 == 0
    assert columns(revise(replace(found, stats={**found.stats, "diverging": anywhere}), data)) == [True, False]


def test_a_column_that_diverges_where_its_sd_is_small_is_not_centred() -> None:
    rng = np.random.default_rng(1)
    sd = np.exp(rng.normal(0, 0.1, (4, 1000, 2)))
    known = np.concatenate([rng.normal(0, 0.2, (4, 1000, 8)) + np.linspace(-2, 2, 8)] * 2, axis=2)
    data = views("11").data
    found = drawn(data, sd, known)
    diverging = sd[..., 1] < np.quantile(sd[..., 1], 0.02)
    assert (revise(found, data) < 1).all()
    narrowed = revise(replace(found, stats={**found.stats, "diverging": diverging}), data)
    assert columns(narrowed) == [True, False]


def nested_views(centred: int) -> Views:
    """y ~ a + (1 | g) + (1 | h), two levels of g in each of h; so many of 8 levels of g are centred, none of h."""
    formula = parse_formula("y ~ a + (1 | g) + (1 | h)")
    made = build_design(formula, nested_table())
    spec = build_spec(formula, made)

    def seen(narrowed: Array) -> Mapping[str, Any]:
        return FULL.data(spec, made, narrowed=narrowed)

    return Views(seen(np.where(np.arange(12) < centred, 0.5, 1.0)), seen, ("sd(g)", "sd(h)"))


def known_totals(data: Mapping[str, Any], options: SamplerOptions) -> Sampling:
    """Draws that know the totals of g, and nothing of h, however they are seen."""
    rng = np.random.default_rng(2)
    made, sd = fake_sampling(data, options), np.exp(rng.normal(0, 0.1, (4, 1000, 2)))
    h, total = rng.normal(size=(4, 1000, 4)), rng.normal(0, 0.1, (4, 1000, 8)) + np.linspace(-2, 2, 8)
    around = sd[..., 1:] * (h - h.mean(axis=-1, keepdims=True))
    g = np.where(data["narrowed"][:8] < 1, total, (total - np.repeat(around, 2, axis=2)) / sd[..., :1])
    own = {
        "sd": sd * part(data["theta_scale"], "sd", data),
        "theta_std": np.concatenate([sd, made.variables["aux"]], axis=2),
        "b": np.zeros((4, 1000, 2)),
    }
    return replace(made, variables={**made.variables, **own, "z": np.concatenate([g, h], axis=2)})


@pytest.mark.parametrize("centred", [0, 3, 8])
def test_what_is_known_of_an_inner_level_is_told_from_its_total(centred: int) -> None:
    data = nested_views(centred).data
    assert data["slope"].tolist() == [0, 0] and data["within"].tolist() == [2, 0]
    narrowed = revise(known_totals(data, OPTIONS), data)
    assert (narrowed[:8] < 1).all() and (narrowed[8:] == 1).all()


@pytest.mark.parametrize(("centred", "again"), [(4, True), (7, False)])
def test_a_level_that_is_seen_in_another_way_is_no_reason_for_another_attempt(centred: int, again: bool) -> None:
    def sample(executable: Executable, data: Mapping[str, Any], options: SamplerOptions, *_: object) -> Sampling:
        diverging = np.arange(4000).reshape(4, 1000) < (0 if options.adapt_delta == MORE_CAREFUL else 500)
        made = known_totals(data, options)
        return replace(made, stats={**made.stats, "diverging": diverging})

    found = sample_after_short_warmup(EXECUTABLE, nested_views(centred), OPTIONS, None, sample)[1]
    assert any("centred anew" in one for one in found.attempts) is again
    assert again or found.centered == ("sd(g): 7 of 8 levels",)
