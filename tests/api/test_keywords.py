"""Keywords are the options of the commands: the same names, ranges, choices and defaults."""

import inspect
from dataclasses import MISSING, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

import hierfit
from hierfit.api import keyword_types
from hierfit.api.asking import EFFECTS, PLOT, PREDICT
from hierfit.api.fitting import FIT
from hierfit.api.keywords import Keywords
from hierfit.api.priors import PRIORS
from hierfit.api.run import EXTEND
from hierfit.api.simulated import SIMULATE
from hierfit.cli.options.declared import Options
from hierfit.errors import UsageError

ALL: dict[str, tuple[Keywords[Any], Any, Any]] = {
    "fit": (FIT, hierfit.fit, keyword_types.FitKeywords),
    "rerun": (FIT, hierfit.Run.rerun, keyword_types.FitKeywords),
    "priors": (PRIORS, hierfit.priors, keyword_types.PriorsKeywords),
    "predict": (PREDICT, hierfit.Run.predict, keyword_types.PredictKeywords),
    "predict_draws": (PREDICT, hierfit.Run.predict_draws, keyword_types.PredictKeywords),
    "plot": (PLOT, hierfit.Run.plot, keyword_types.PlotKeywords),
    "effects": (EFFECTS, hierfit.Run.effects, keyword_types.EffectsKeywords),
    "simulate": (SIMULATE, hierfit.simulate, keyword_types.SimulateKeywords),
}
# What of the options is no keyword, and why that is so.
LEFT_OUT = {
    "fit": {
        "data", "formula",  # parameters of their own
        "again",  # Run.rerun
        "output", "quiet", "exit_zero", "dry_run",  # of the screen and the shell
    },
    "priors": {"data", "formula", "output"},
    "plot": {
        "run", "quiet",
        "kind",  # a parameter of its own
        "every",  # one figure at a time
        "file_format", "dpi", "out", "overwrite",  # Figure.savefig
    },
    "predict": {"run", "new", "out", "draws", "overwrite", "output", "quiet", "exit_zero"},
    "effects": {"run", "plot", "overwrite", "output", "exit_zero"},
    "simulate": {"scenario", "show_list", "again", "out", "plots", "overwrite", "quiet"},
}  # fmt: skip


@pytest.mark.parametrize("name", LEFT_OUT)
def test_every_option_is_a_keyword(name: str) -> None:
    keywords, *_ = ALL[name]
    own = {part.name for part in fields(keywords.kind)} - {part.name for part in fields(Options)}
    assert {part.name for part in keywords.parts.values()} == own - LEFT_OUT[name]
    renamed = {keyword: part.name for keyword, part in keywords.parts.items() if keyword != part.name}
    assert renamed == ({"priors": "prior"} if name in ("fit", "priors") else {})


@pytest.mark.parametrize("name", ALL)
def test_types_for_checkers_are_those_of_the_options(name: str) -> None:
    keywords, function, types = ALL[name]
    if name == "simulate":
        from hierfit.api.simulating import simulate as function
    parameters = list(inspect.signature(function, follow_wrapped=False).parameters.values())
    typed = get_type_hints(types)
    beside = {"of"} if name == "effects" else set()
    assert set(typed) | beside == set(keywords.parts)
    shown = {parameter.name: parameter.default for parameter in parameters}
    for keyword, part in keywords.parts.items():
        assert shown[keyword] == (None if part.default is MISSING else part.default), keyword
        if keyword in beside:
            continue
        kind = get_type_hints(keywords.kind)[part.name]
        kind = next((each for each in get_args(kind) if isinstance(each, type) and each is not type(None)), kind)
        choices = [choice for each in get_args(typed[keyword]) for choice in get_args(each)]
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            assert choices == [choice.value for choice in kind], keyword


@pytest.mark.parametrize("name", ALL)
def test_the_docstring_says_what_each_means(name: str) -> None:
    keywords, function, _ = ALL[name]
    if name == "simulate":
        from hierfit.api.simulating import simulate as function
    doc = function.__doc__.partition("Keywords:\n")[2]
    lines = doc.rstrip("\n").split("\n")
    assert [line.split(":")[0].strip() for line in lines] == list(keywords.parts)
    assert "--" not in doc.replace("--group)", "")


def test_values_are_those_of_the_command_line() -> None:
    options = FIT.options(
        {
            "x": "ses",
            "group": ["school", "class"],
            "reference": {"sector": "Public", "year": 1},
            "levels": {"dose": ["low", "a, b", 3]},
            "priors": ["ses ~ normal(0, 1)"],
            "engine": "full",
            "chains": 2,
            "adapt_delta": 0.9,
            "seed": None,
            "out": "run",
        }
    )
    assert (options.x, options.group) == (["ses"], ["school", "class"])
    assert options.reference == ["sector=Public", "year=1"]
    assert options.levels == ['dose=low,"a, b",3']
    assert options.prior == ["ses ~ normal(0, 1)"]
    assert (options.engine.value, options.chains, options.adapt_delta, options.seed) == ("full", 2, 0.9, None)
    assert "seed" not in options.typed and options.typed["prior"] == "priors="


@pytest.mark.parametrize(
    ("given", "said", "hint"),
    [
        ({"chains": 0}, "chains=0 is not at least 1.", None),
        ({"chains": 2.0}, "chains=2.0: a whole number is wanted.", None),
        ({"chains": True}, "chains=True: a whole number is wanted.", None),
        ({"seed": 2**31}, "seed=2147483648 is not from 1 to 2,147,483,647.", None),
        ({"ci": 95}, "ci=95 is not from 0.01 to 0.999.", None),
        ({"ci": float("nan")}, "ci=nan is not from 0.01 to 0.999.", None),
        ({"prior_only": 1}, "prior_only=1: True or False is wanted.", None),
        ({"family": 3}, "family=3: a text is wanted.", None),
        ({"x": 3}, "x=3: a text is wanted, or several.", 'for example x=["a", "b"]'),
        ({"x": ["a", 3]}, "x=['a', 3]: a text is wanted, or several.", 'for example x=["a", "b"]'),
        (
            {"engine": "ful"},
            "engine='ful' cannot be chosen. Did you mean 'full'?",
            "choose 'auto' or 'collapsed' or 'marginal' or 'latent' or 'full'",
        ),
    ],
)
def test_values_that_cannot_be(given: dict[str, Any], said: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        FIT.options(given)
    assert (caught.value.message, caught.value.hint) == (said, hint)


@pytest.mark.parametrize(("keywords", "ends"), [(FIT, 13), (PREDICT, 3), (EFFECTS, 2), (EXTEND, 2), (SIMULATE, 2)])
def test_every_range_of_an_option_holds_for_its_keyword(keywords: Keywords[Any], ends: int) -> None:
    further = {} if keywords in (FIT, SIMULATE) else {"run": Path("run")}
    checked = 0
    for name, part in keywords.parts.items():
        option = get_type_hints(keywords.kind, include_extras=True)[part.name].__metadata__[0]
        for end, step in ((option.min, -1), (option.max, 1)):
            if end is not None:
                assert getattr(keywords.options({name: end}, **further), part.name) == end
                with pytest.raises(UsageError):
                    keywords.options({name: end + step}, **further)
                checked += 1
    assert checked == ends


def test_a_wrong_keyword_is_a_type_error_that_names_the_closest() -> None:
    said = r"fit\(\) got an unexpected keyword argument 'adapt_dleta'. Did you mean 'adapt_delta'\?"
    with pytest.raises(TypeError, match=said):
        FIT.options({"adapt_dleta": 0.9})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("--until-ess and --draws ask for different things", "until_ess= and draws= ask for different things"),
        ("add --trials COLUMN", 'add trials="COLUMN"'),
        ("--family binomial, or --engine full", 'family="binomial", or engine="full"'),
        ("--no-center puts them at 0", "no_center=True puts them at 0"),
        ("--adapt-delta 0.95.", "adapt_delta=0.95."),
        ("--prior 'x ~ normal(0, 1)'", "priors='x ~ normal(0, 1)'"),
        ("--reference sector=Public: no", 'reference="sector=Public": no'),
        ("--formula says it all", "formula= says it all"),
        ("--quiet and --unknown stay", "--quiet and --unknown stay"),
        ("hierfit fit --from RUN --draws 5", "hierfit fit --from RUN --draws 5"),
    ],
)
def test_options_are_spoken_of_as_keywords(text: str, said: str) -> None:
    assert FIT.spoken(text) == said
