"""The options of `hierfit simulate`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from hierfit.cli.options.declared import Options
from hierfit.cli.options.shared import Overwrite, Quiet

_shape = partial(typer.Option, rich_help_panel="Shape")
_with_formula = partial(typer.Option, rich_help_panel="With --formula")
_of_scenario = partial(typer.Option, rich_help_panel="Without --formula", show_default="as in the scenario")
# What belongs to scenarios, or to formulas, alone.
OF_SCENARIOS = ("scenario", "crossed", "y", "group", "intercept", "x", "sd", "cor", "sigma", "aux")
OF_FORMULAS = ("true", "levels", "rows", "per", "offset", "reference", "contrasts")
# What may be said beside --from; everything else comes from the run.
BESIDE_FROM = ("again", "seed", "out", "plots", "overwrite", "quiet")


@dataclass(frozen=True, kw_only=True)
class SimulateOptions(Options):
    """What to simulate, and where to."""

    scenario: Annotated[
        str | None,
        typer.Argument(help="Where to start from; --list shows them.", show_default="schools, or that of --family"),
    ] = None
    show_list: Annotated[bool, typer.Option("--list", help="List the scenarios and leave.")] = False
    again: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="RUN",
            help="New data from a finished run: its rows, and an outcome of one posterior draw, which --seed chooses.",
            show_default=False,
        ),
    ] = None
    groups: Annotated[int | None, _shape(help="Groups.", show_default="as in the scenario; 30 with --formula")] = None
    rows_per_group: Annotated[
        str | None,
        _shape(
            help="Rows of each group: 20, or a range 2-5. Of nested groups, of each smallest one.",
            show_default="as in the scenario; 20 with --formula",
        ),
    ] = None
    trials: Annotated[
        str | None,
        _shape(help="Trials of each row: 20, or a range 2-5.", show_default="those of the family's scenario"),
    ] = None
    missing: Annotated[
        float | None,
        _shape(
            metavar="SHARE",
            help="Share of the cells of outcome and predictors that are left empty: 0.05.",
            show_default="as in the scenario",
        ),
    ] = None
    predictors: Annotated[
        list[str] | None,
        _shape(
            "--predictors",
            help='"normal(0, 1)" or "uniform(0, 10)"; with --formula also "age ~ uniform(8, 16)" for one column; '
            "repeat.",
            show_default="as in the scenario; normal(0, 1) with --formula",
        ),
    ] = None
    family: Annotated[
        str | None,
        _shape(
            "--family",
            metavar="NAME",
            help="Distribution of the outcome, as in fit; without a scenario, that of the family is taken.",
            show_default="as in the scenario; gaussian with --formula",
        ),
    ] = None
    link: Annotated[
        str | None,
        _shape(
            "--link",
            metavar="NAME",
            help="Link of the mean, as in fit.",
            show_default="as in the scenario, or the family's own",
        ),
    ] = None
    formula: Annotated[
        str | None,
        _with_formula(
            "--formula",
            metavar="FORMULA",
            help='Any model that fit takes: "score ~ ses * sector + (1 + ses | school) + (1 | district)".',
            show_default=False,
        ),
    ] = None
    true: Annotated[
        list[str] | None,
        _with_formula(
            "--true",
            metavar="NAME=VALUE",
            help='A true value, named as in a fit\'s table: "ses=2", "sd(school)=5", "cor(school: Intercept, ses)=0.3",'
            " or for a class: b, sd, cor; repeat.",
            show_default="like the family's scenario; printed",
        ),
    ] = None
    levels: Annotated[
        list[str] | None,
        _with_formula(
            "--levels",
            metavar="COLUMN=LEVELS",
            help="How many levels a group has: school=30; a nested one has them in each group around it: class=4, or a "
            "range class=2-5. Or which levels a column of words has, in order, as in fit: sector=Public,Catholic; the "
            "outcome too. Repeat for more.",
            show_default="30 of the first group, 10 of others, 4 of nested ones; numbers",
        ),
    ] = None
    rows: Annotated[
        int | None,
        _with_formula("--rows", min=1, metavar="NUMBER", help="Rows of a formula without groups.", show_default="200"),
    ] = None
    per: Annotated[
        list[str] | None,
        _with_formula(
            "--per",
            metavar="COLUMN=GROUP",
            help="A predictor with one value for all rows of a group: sector=school; repeat.",
            show_default="a value for every row",
        ),
    ] = None
    offset: Annotated[
        str | None,
        _with_formula(
            "--offset",
            metavar="COLUMN",
            help="Name of a column that is added to the linear predictor, drawn as --predictors says.",
            show_default=False,
        ),
    ] = None
    reference: Annotated[
        list[str] | None,
        _with_formula(
            "--reference",
            metavar="COLUMN=LEVEL",
            help="Level that the others of a text column are compared with, as in fit; repeat.",
            show_default="the first in alphabetical order",
        ),
    ] = None
    contrasts: Annotated[
        list[str] | None,
        _with_formula(
            "--contrasts",
            metavar="COLUMN=KIND",
            help="What the coefficients of a text column compare, as in fit; repeat.",
            show_default="treatment: each level with the reference",
        ),
    ] = None
    crossed: Annotated[
        str | None,
        _of_scenario(
            metavar="NAME=LEVELS",
            help="A second grouping factor, crossed with the first, whose intercept varies: item=24; its sd is set by "
            "--sd item=0.8.",
        ),
    ] = None
    y: Annotated[str | None, _of_scenario("--y", help="Name of the outcome.")] = None
    group: Annotated[str | None, _of_scenario("--group", help="Name of the group column.")] = None
    intercept: Annotated[float | None, _of_scenario(help="Overall intercept.")] = None
    x: Annotated[
        list[str] | None, _of_scenario("--x", help="A predictor and its coefficient: ses=2; repeat for more.")
    ] = None
    sd: Annotated[
        list[str] | None,
        _of_scenario("--sd", help="What varies between groups and its sd: Intercept=5 or ses=1; repeat."),
    ] = None
    cor: Annotated[float | None, _of_scenario(help="Correlation of what varies.")] = None
    sigma: Annotated[float | None, _of_scenario(help="Residual sd; 0 for none.")] = None
    aux: Annotated[
        list[str] | None,
        _of_scenario(
            "--aux", metavar="NAME=VALUE", help="A further parameter of the family: shape=2; repeat for more."
        ),
    ] = None
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same file.")] = 1
    out: Annotated[Path, typer.Option("--out", help="Folder for data.csv, truth.json and data.png.")] = Path("sim")
    plots: Annotated[bool, typer.Option("--plots/--no-plots", help="Draw the data, with the true lines: data.png.")] = (
        True
    )
    overwrite: Overwrite = False
    quiet: Quiet = False
