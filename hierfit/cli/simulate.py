"""`hierfit simulate`: a scenario changed by options, a formula, or a finished run -> data.csv and truth.json."""

from __future__ import annotations

from pathlib import Path

import typer

from hierfit.cli import simulate_options as options
from hierfit.cli.model_request import typed
from hierfit.cli.options import Overwrite, Quiet
from hierfit.cli.page import show
from hierfit.errors import UsageError

# What may be said beside --from; everything else comes from the run.
_BESIDE_FROM = {"again", "seed", "out", "overwrite", "quiet"}
# What belongs to scenarios, or to formulas, alone.
_OF_SCENARIOS = ("scenario", "crossed", "y", "group", "intercept", "x", "sd", "cor", "sigma", "aux")
_OF_FORMULAS = ("true", "levels", "rows", "per", "offset", "reference")


def simulate(
    context: typer.Context,
    scenario: options.Scenario = None,
    show_list: options.ShowList = False,
    again: options.FromRun = None,
    groups: options.Groups = None,
    rows_per_group: options.RowsPerGroup = None,
    trials: options.Trials = None,
    missing: options.Missing = None,
    predictors: options.PredictorTexts = None,
    family: options.FamilyName = None,
    link: options.LinkName = None,
    formula: options.FormulaText = None,
    true: options.TrueTexts = None,
    levels: options.Levels = None,
    rows: options.Rows = None,
    per: options.Per = None,
    offset: options.Offset = None,
    reference: options.Reference = None,
    crossed: options.Crossed = None,
    y: options.Y = None,
    group: options.Group = None,
    intercept: options.Intercept = None,
    x: options.X = None,
    sd: options.Sd = None,
    cor: options.Cor = None,
    sigma: options.Sigma = None,
    aux: options.Aux = None,
    seed: options.Seed = 1,
    out: options.Out = Path("sim"),
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Simulate data with a known truth.

    [dim]hierfit simulate --groups 30 --rows-per-group 20 --seed 1 --out sim[/dim]

    [dim]hierfit simulate slopes --x ses=2 --sd Intercept=5 --sd ses=1 --cor 0.3 --out slopes[/dim]

    [dim]hierfit simulate --family poisson --missing 0.05 --out counts[/dim]

    [dim]hierfit simulate --formula "score ~ ses + (1 + ses | school)" --true ses=2 --true "sd(school)=5"[/dim]
    """
    if show_list:
        show(_list_text())
        return
    route = _from_scenario if formula is None else _from_formula
    said = route(context) if again is None else _from_run(context, again)
    if not quiet:
        show(said)


def _from_scenario(context: typer.Context) -> str:
    """Write the data of a scenario with its changes; return what to say.

    Raises:
        UsageError: options are given that need a formula.
    """
    given = typed(context, _OF_FORMULAS)
    if given:
        raise UsageError(
            f"{', '.join(given)} {'goes' if len(given) == 1 else 'go'} with --formula, which is not given.",
            hint='for example --formula "score ~ ses + (1 | school)"; a scenario has --x, --sd, --sigma, --aux',
        )
    from hierfit.cli.simulation_report import scenario_text
    from hierfit.cli.simulation_request import simulation_from
    from hierfit.model.simulate import simulate as draw
    from hierfit.model.simulate import write_simulation

    out = context.params["out"]
    simulation = simulation_from(context.params)
    simulated = draw(simulation)
    write_simulation(simulated, out, context.params["overwrite"])
    return scenario_text(simulation, out, simulated.n_rows)


def _from_formula(context: typer.Context) -> str:
    """Write the data of a formula; return what to say.

    Raises:
        UsageError: options of scenarios are given too.
    """
    given = [name.replace("--scenario", "a scenario") for name in typed(context, _OF_SCENARIOS)]
    if given:
        raise UsageError(
            f"--formula says what the model is, and --true its values; {', '.join(given)} cannot be given beside it.",
            hint='for example --true "ses=2" --true "sd(school)=5" --true "sigma=8"',
        )
    from hierfit.cli.simulation_report import formula_text
    from hierfit.cli.simulation_request import formula_simulation_from
    from hierfit.model.simulate import write_simulation
    from hierfit.model.simulate_formula import simulate_formula

    out = context.params["out"]
    simulation = formula_simulation_from(context.params)
    simulated = simulate_formula(simulation)
    write_simulation(simulated, out, context.params["overwrite"])
    return formula_text(simulation, simulated, out)


def _from_run(context: typer.Context, run: Path) -> str:
    """Write new data from a run; return what to say.

    Raises:
        UsageError: options are given that the run decides.
    """
    typed_too = typed(context, (name for name in context.params if name not in _BESIDE_FROM))
    given = [name.replace("--scenario", "a scenario") for name in typed_too]
    if given:
        raise UsageError(
            f"--from takes rows and true values from the run; {', '.join(given)} cannot be given too.",
            hint="leave them out, or simulate from a scenario or a formula, without --from",
        )
    from hierfit import finished
    from hierfit.cli.simulation_report import run_text
    from hierfit.model.simulate import write_simulation

    out = context.params["out"]
    simulated = finished.simulate_from(run, context.params["seed"])
    write_simulation(simulated, out, context.params["overwrite"])
    return run_text(run, finished.stored_request(run), simulated, out)


def _list_text() -> str:
    from hierfit.model.scenarios import SCENARIOS

    width = max(len(name) for name in SCENARIOS)
    return "\n".join(f"{name:<{width}}  {scenario.description}" for name, scenario in SCENARIOS.items())
