"""Expressions over the parameters of a finished run -> what its posterior says of them.

    answers = test(Path("runs/pupils"), ["ses > 2", "sd(school)^2 / (sd(school)^2 + sigma^2)"])
    print(answers.rows[0].probability)

Only the draws of what is named are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hierfit.errors import UsageError
from hierfit.posterior.hypotheses.answers import Answers, Interval, answer
from hierfit.posterior.hypotheses.evaluate import Known
from hierfit.posterior.hypotheses.names import mentioned, names_of
from hierfit.posterior.hypotheses.parse import parse
from hierfit.posterior.hypotheses.prior import PriorOf
from hierfit.posterior.hypotheses.tree import names_in
from hierfit.posterior.netcdf_chosen import choosing
from hierfit.posterior.summary import interval_bounds
from hierfit.runs.files import TRACE
from hierfit.runs.folder import RunFolder, open_run, open_whole


def test(run: Path, expressions: Sequence[str], *, ci: float | None = None, rope: Interval | None = None) -> Answers:
    """Return what the posterior of a run says of expressions; `ci` is that of the fit where none is given.

    Raises:
        UsageError: an expression cannot be read, or names what is no parameter; the ROPE has no inside.
        RunFolderError: the run, or its trace, cannot be read.
    """
    if not expressions:
        raise UsageError("there is no expression.", hint=example(open_run(run)))
    if rope is not None and not rope[0] < rope[1]:
        raise UsageError(f"the ROPE from {rope[0]:g} to {rope[1]:g} has no inside.", hint="give the lower end first")
    folder = open_whole(run, TRACE)
    spec, mass = folder.record.model, folder.record.request.ci if ci is None else ci
    interval_bounds(mass)
    with choosing(folder.path / TRACE, spec) as trace:
        factors = mentioned(expressions, spec.groups)
        labels = {group.factor: trace.labels(group.factor) for group in factors}
        own = [parameter.name for parameter in spec.parameters]
        names = names_of(own, factors, labels, folder.record.references)
        trees = [parse(text, names) for text in expressions]
        named = list(dict.fromkeys(name for tree in trees for name in names_in(tree)))
        effects = {name: names.effects[name] for name in named if name in names.effects}
        values = {**trace.parameters(named), **trace.effects(effects)}
        draws = Known(values, trace.shape)
    prior = None if spec.prior_only else PriorOf(spec, folder.record.x_mean, effects)
    rows = tuple(answer(text, tree, draws, mass, rope, prior) for text, tree in zip(expressions, trees, strict=True))
    shared = {name: full for name, full in names.shared.items() if name in named}
    return Answers(rows, mass, rope, trace.shape[0], tuple(effects), shared)


def example(folder: RunFolder) -> str:
    """Return a command with an expression of one of the run's own parameters."""
    from hierfit.model.grammar import INTERCEPT
    from hierfit.model.spec import INTERCEPT_AT_MEAN
    from hierfit.visible import shell_word

    names = [parameter.name for parameter in folder.record.model.parameters]
    name = next((name for name in names if name not in (INTERCEPT, INTERCEPT_AT_MEAN)), names[0])
    return f"hierfit test {shell_word(str(folder.path))} {shell_word(f'{name} > 0')}"
