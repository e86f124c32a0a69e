"""`hierfit simulate`: a scenario, changed by options, or a finished run -> data.csv and truth.json."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hierfit.cli.model_request import typed
from hierfit.cli.options import Overwrite, Quiet
from hierfit.cli.simulation_request import simulation_from
from hierfit.errors import UsageError

if TYPE_CHECKING:
    from hierfit.model.formula import GroupTerm
    from hierfit.model.simulation import Simulation
    from hierfit.request import FitRequest

TRUTH, SHAPE = "True values", "Shape"
_KEEP = "as in the scenario"
# What may be said beside --from; everything else comes from the run.
_BESIDE_FROM = {"again", "seed", "out", "overwrite", "quiet"}


def simulate(
    context: typer.Context,
    scenario: Annotated[
        str | None,
        typer.Argument(help="Where to start from; --list shows them.", show_default="schools, or that of --family"),
    ] = None,
    show_list: Annotated[bool, typer.Option("--list", help="List the scenarios and leave.")] = False,
    again: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="RUN",
            help="New data from a finished run: its rows, and an outcome of one posterior draw, which --seed chooses.",
            show_default=False,
        ),
    ] = None,
    groups: Annotated[int | None, typer.Option(help="Groups.", rich_help_panel=SHAPE, show_default=_KEEP)] = None,
    rows_per_group: Annotated[
        str | None,
        typer.Option(help="Rows of each group: 20, or a range 2-5.", rich_help_panel=SHAPE, show_default=_KEEP),
    ] = None,
    crossed: Annotated[
        str | None,
        typer.Option(
            metavar="NAME=LEVELS",
            help="A second grouping factor, crossed with the first, whose intercept varies: item=24; its sd is set by "
            "--sd item=0.8.",
            rich_help_panel=SHAPE,
            show_default=_KEEP,
        ),
    ] = None,
    trials: Annotated[
        str | None,
        typer.Option(help="Trials of each row: 20, or a range 2-5.", rich_help_panel=SHAPE, show_default=_KEEP),
    ] = None,
    missing: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Share of the cells of outcome and predictors that are left empty: 0.05.",
            rich_help_panel=SHAPE,
            show_default=_KEEP,
        ),
    ] = None,
    predictors: Annotated[
        str | None,
        typer.Option(help='"normal(0, 1)" or "uniform(0, 10)".', rich_help_panel=SHAPE, show_default=_KEEP),
    ] = None,
    y: Annotated[
        str | None, typer.Option("--y", help="Name of the outcome.", rich_help_panel=SHAPE, show_default=_KEEP)
    ] = None,
    group: Annotated[
        str | None, typer.Option("--group", help="Name of the group column.", rich_help_panel=SHAPE, show_default=_KEEP)
    ] = None,
    family: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Distribution of the outcome, as in fit; without a scenario, that of the family is taken.",
            rich_help_panel=TRUTH,
            show_default=_KEEP,
        ),
    ] = None,
    link: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Link of the mean, as in fit.", rich_help_panel=TRUTH, show_default=_KEEP),
    ] = None,
    intercept: Annotated[
        float | None, typer.Option(help="Overall intercept.", rich_help_panel=TRUTH, show_default=_KEEP)
    ] = None,
    x: Annotated[
        list[str] | None,
        typer.Option(
            "--x",
            help="A predictor and its coefficient: ses=2; repeat for more.",
            rich_help_panel=TRUTH,
            show_default=_KEEP,
        ),
    ] = None,
    sd: Annotated[
        list[str] | None,
        typer.Option(
            "--sd",
            help="What varies between groups and its sd: Intercept=5 or ses=1; repeat.",
            rich_help_panel=TRUTH,
            show_default=_KEEP,
        ),
    ] = None,
    cor: Annotated[
        float | None, typer.Option(help="Correlation of what varies.", rich_help_panel=TRUTH, show_default=_KEEP)
    ] = None,
    sigma: Annotated[
        float | None, typer.Option(help="Residual sd; 0 for none.", rich_help_panel=TRUTH, show_default=_KEEP)
    ] = None,
    aux: Annotated[
        list[str] | None,
        typer.Option(
            "--aux",
            metavar="NAME=VALUE",
            help="A further parameter of the family: shape=2; repeat for more.",
            rich_help_panel=TRUTH,
            show_default=_KEEP,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same file.")] = 1,
    out: Annotated[Path, typer.Option("--out", help="Folder for data.csv and truth.json.")] = Path("sim"),
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Simulate data with a known truth.

    [dim]hierfit simulate --groups 30 --rows-per-group 20 --seed 1 --out sim[/dim]

    [dim]hierfit simulate slopes --x ses=2 --sd Intercept=5 --sd ses=1 --cor 0.3 --out slopes[/dim]

    [dim]hierfit simulate --family poisson --missing 0.05 --out counts[/dim]
    """
    if show_list:
        typer.echo(_list_text())
        return
    said = _from_scenario(context) if again is None else _from_run(context, again)
    if not quiet:
        typer.echo(said)


def _from_scenario(context: typer.Context) -> str:
    """Write the data of a scenario with its changes; return what to say."""
    from hierfit.model.simulate import simulate as draw
    from hierfit.model.simulate import write_simulation

    given = context.params
    simulation = simulation_from(given)
    simulated = draw(simulation)
    write_simulation(simulated, given["out"], given["overwrite"])
    n_rows = len(next(iter(simulated.columns.values())))
    return _written_text(simulation, given["out"], n_rows)


def _from_run(context: typer.Context, run: Path) -> str:
    """Write new data from a run; return what to say.

    Raises:
        UsageError: options are given that the run decides.
    """
    given = [name.replace("--scenario", "a scenario") for name in _typed_beside_from(context)]
    if given:
        raise UsageError(
            f"--from takes rows and true values from the run; {', '.join(given)} cannot be given too.",
            hint="leave them out, or simulate from a scenario, without --from",
        )
    from hierfit import workflow
    from hierfit.model.simulate import write_simulation

    out, seed = context.params["out"], context.params["seed"]
    simulated = workflow.simulate_from(run, seed)
    write_simulation(simulated, out, context.params["overwrite"])
    request = workflow.stored_request(run)
    fit = ["--from", str(run)] if not request.prior_only else _options_of(request)
    n_rows = len(next(iter(simulated.columns.values())))
    origin = simulated.truth["from"]
    return (
        f"Wrote    {out / 'data.csv'}: {n_rows:,} rows; {out / 'truth.json'}: the true values\n"
        f"Model    {simulated.truth['formula']}\n"
        f"Truth    draw {origin['draw'] + 1:,} of chain {origin['chain'] + 1} of {run}\n"
        f"Next     {shlex.join(['hierfit', 'fit', str(out / 'data.csv'), *fit])}"
    )


def _typed_beside_from(context: typer.Context) -> list[str]:
    return typed(context, (name for name in context.params if name not in _BESIDE_FROM))


def _options_of(request: FitRequest) -> list[str]:
    """Return the options that fit the model of a run with --prior-only, whose own would leave the outcome out again."""
    from hierfit.model.levels import levels_text

    single = {
        "--formula": str(request.formula),
        "--family": request.family,
        "--link": request.link,
        "--trials": request.roles.trials,
        "--offset": request.roles.offset,
    }
    options = [word for name, value in single.items() if value is not None for word in (name, value)]
    for column, level in request.roles.references.items():
        options += ["--reference", f"{column}={level}"]
    for column, levels in request.roles.levels.items():
        options += ["--levels", levels_text(column, levels)]
    for prior in request.priors:
        options += ["--prior", prior]
    flags = {"--standardize": request.standardize, "--no-center": not request.centered}
    return [*options, *(flag for flag, given in flags.items() if given)]


def _list_text() -> str:
    from hierfit.model.scenarios import SCENARIOS

    width = max(len(name) for name in SCENARIOS)
    return "\n".join(f"{name:<{width}}  {scenario.description}" for name, scenario in SCENARIOS.items())


def _written_text(simulation: Simulation, out: Path, n_rows: int) -> str:
    """Return what was written and the command that fits it."""
    sizes = [f"{n_rows:,} rows, {simulation.groups:,} groups"]
    if simulation.crossed is not None:
        sizes.append(f"{simulation.crossed.levels:,} levels of {simulation.crossed.name}")
    command = shlex.join(["hierfit", "fit", str(out / "data.csv"), *_fit_options(simulation)])
    family = "" if simulation.family == "gaussian" else f"   {simulation.family}"
    return (
        f"Wrote    {out / 'data.csv'}: {', '.join(sizes)}; {out / 'truth.json'}: the true values\n"
        f"Model    {simulation.formula}{family}\n"
        f"Next     {command}"
    )


def _fit_options(simulation: Simulation) -> list[str]:
    """Return the options of `hierfit fit` for the model that the data come from."""
    from hierfit.model.simulation import TRIALS

    options = _formula_options(simulation)
    if simulation.family != "gaussian":
        options += ["--family", simulation.family]
    if simulation.link is not None:
        options += ["--link", simulation.link]
    return options if simulation.trials is None else [*options, "--trials", TRIALS]


def _formula_options(simulation: Simulation) -> list[str]:
    formula = simulation.formula
    if len(formula.groups) > 1 and not formula.groups[0].intercept:  # the flag would be of both factors
        return ["--formula", str(formula)]
    options = ["--y", simulation.y]
    for name in simulation.coefficients:
        options += ["--x", name]
    for term in formula.groups:
        options += ["--group", term.factor]
    for term in formula.groups:
        options += _slope_options(simulation, term)
    return options if not formula.groups or formula.groups[0].intercept else [*options, "--no-varying-intercept"]


def _slope_options(simulation: Simulation, term: GroupTerm) -> list[str]:
    if not term.slopes:
        return []
    of = f":{term.factor}" if len(simulation.formula.groups) > 1 else ""
    names = (name for name in simulation.varying if name != "Intercept")
    return [word for name in names for word in ("--slope", f"{name}{of}")]
