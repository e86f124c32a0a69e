"""`hierfit simulate`: a scenario, changed by options -> data.csv and truth.json."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hierfit.cli.options import Overwrite, Quiet
from hierfit.errors import UsageError

if TYPE_CHECKING:
    from hierfit.model.simulation import Simulation

TRUTH, SHAPE = "True values", "Shape"
_KEEP = "as in the scenario"


def simulate(
    scenario: Annotated[str, typer.Argument(help="Where to start from; --list shows them.")] = "schools",
    show_list: Annotated[bool, typer.Option("--list", help="List the scenarios and leave.")] = False,
    groups: Annotated[int | None, typer.Option(help="Groups.", rich_help_panel=SHAPE, show_default=_KEEP)] = None,
    rows_per_group: Annotated[
        str | None,
        typer.Option(help="Rows of each group: 20, or a range 2-5.", rich_help_panel=SHAPE, show_default=_KEEP),
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
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same file.")] = 1,
    out: Annotated[Path, typer.Option("--out", help="Folder for data.csv and truth.json.")] = Path("sim"),
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Simulate data with a known truth.

    [dim]hierfit simulate --groups 30 --rows-per-group 20 --seed 1 --out sim[/dim]

    [dim]hierfit simulate slopes --x ses=2 --sd Intercept=5 --sd ses=1 --cor 0.3 --out slopes[/dim]
    """
    from dataclasses import replace

    from hierfit.model.scenarios import find_scenario
    from hierfit.model.simulate import simulate as draw
    from hierfit.model.simulate import write_simulation
    from hierfit.model.simulation import Predictors

    if show_list:
        typer.echo(_list_text())
        return
    changes: dict[str, Any] = {
        "groups": groups,
        "rows_per_group": _rows(rows_per_group),
        "predictors": None if predictors is None else Predictors.from_text(predictors),
        "y": y,
        "group": group,
        "intercept": intercept,
        "coefficients": _numbers("--x", x),
        "sds": _numbers("--sd", sd),
        "correlations": cor,
        "sigma": sigma,
        "seed": seed,
    }
    start = find_scenario(scenario).simulation
    simulation = replace(start, **{name: value for name, value in changes.items() if value is not None})
    if cor is not None and len(simulation.varying) < 2:
        raise UsageError(
            f"--cor {cor:g}: only {' and '.join(simulation.varying) or 'nothing'} varies between the groups.",
            hint="let more vary, such as --sd Intercept=5 --sd ses=1, or leave out --cor",
        )
    simulated = draw(simulation)
    write_simulation(simulated, out, overwrite)
    if not quiet:
        typer.echo(_written_text(simulation, out, len(next(iter(simulated.columns.values())))))


def _list_text() -> str:
    from hierfit.model.scenarios import SCENARIOS

    width = max(len(name) for name in SCENARIOS)
    return "\n".join(f"{name:<{width}}  {scenario.description}" for name, scenario in SCENARIOS.items())


def _written_text(simulation: Simulation, out: Path, n_rows: int) -> str:
    """Return what was written and the command that fits it."""
    command = ["hierfit fit", str(out / "data.csv"), "--y", simulation.y]
    for name in simulation.coefficients:
        command += ["--x", name]
    if simulation.sds:
        command += ["--group", simulation.group]
        for name in simulation.formula.groups[0].slopes:
            command += ["--slope", name]
        if not simulation.formula.groups[0].intercept:
            command.append("--no-varying-intercept")
    sizes = f"{n_rows:,} rows, {simulation.groups:,} groups"
    return (
        f"Wrote    {out / 'data.csv'}: {sizes}; {out / 'truth.json'}: the true values\n"
        f"Model    {simulation.formula}\n"
        f"Next     {' '.join(command)}"
    )


def _rows(text: str | None) -> int | tuple[int, int] | None:
    """Read 20 or 2-5."""
    if text is None:
        return None
    low, dash, high = text.partition("-")
    if not low.strip().isdigit() or (dash and not high.strip().isdigit()):
        raise UsageError(f"--rows-per-group {text} is not a number of rows.", hint="for example 20, or 2-5")
    return (int(low), int(high)) if dash else int(low)


def _numbers(option: str, texts: Sequence[str] | None) -> dict[str, float] | None:
    """Read NAME=number pairs."""
    if texts is None:
        return None
    numbers = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        try:
            numbers[name] = float(number)
        except ValueError:
            name = ""
        if not name:
            raise UsageError(f"{option} {text} could not be read.", hint=f"for example {option} ses=2")
    return numbers
