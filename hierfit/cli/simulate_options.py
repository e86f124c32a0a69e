"""The options of `hierfit simulate`: names, help texts, limits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SHAPE, FORMULA, SCENARIO = "Shape", "With --formula", "Without --formula"
_KEEP = "as in the scenario"
_FIRST = "as in the scenario; 30 with --formula"
_ROWS = "as in the scenario; 20 with --formula"
_TRIALS = "those of the family's scenario"

Scenario = Annotated[
    str | None,
    typer.Argument(help="Where to start from; --list shows them.", show_default="schools, or that of --family"),
]
ShowList = Annotated[bool, typer.Option("--list", help="List the scenarios and leave.")]
FromRun = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="RUN",
        help="New data from a finished run: its rows, and an outcome of one posterior draw, which --seed chooses.",
        show_default=False,
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Same seed, same file.")]
Out = Annotated[Path, typer.Option("--out", help="Folder for data.csv and truth.json.")]

Groups = Annotated[int | None, typer.Option(help="Groups.", rich_help_panel=SHAPE, show_default=_FIRST)]
RowsPerGroup = Annotated[
    str | None,
    typer.Option(
        help="Rows of each group: 20, or a range 2-5. Of nested groups, of each smallest one.",
        rich_help_panel=SHAPE,
        show_default=_ROWS,
    ),
]
Crossed = Annotated[
    str | None,
    typer.Option(
        metavar="NAME=LEVELS",
        help="A second grouping factor, crossed with the first, whose intercept varies: item=24; its sd is set by "
        "--sd item=0.8.",
        rich_help_panel=SCENARIO,
        show_default=_KEEP,
    ),
]
Trials = Annotated[
    str | None,
    typer.Option(help="Trials of each row: 20, or a range 2-5.", rich_help_panel=SHAPE, show_default=_TRIALS),
]
Missing = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        help="Share of the cells of outcome and predictors that are left empty: 0.05.",
        rich_help_panel=SHAPE,
        show_default=_KEEP,
    ),
]
PredictorTexts = Annotated[
    list[str] | None,
    typer.Option(
        "--predictors",
        help='"normal(0, 1)" or "uniform(0, 10)"; with --formula also "age ~ uniform(8, 16)" for one column; repeat.',
        rich_help_panel=SHAPE,
        show_default="as in the scenario; normal(0, 1) with --formula",
    ),
]
Y = Annotated[
    str | None, typer.Option("--y", help="Name of the outcome.", rich_help_panel=SCENARIO, show_default=_KEEP)
]
Group = Annotated[
    str | None, typer.Option("--group", help="Name of the group column.", rich_help_panel=SCENARIO, show_default=_KEEP)
]
FamilyName = Annotated[
    str | None,
    typer.Option(
        "--family",
        metavar="NAME",
        help="Distribution of the outcome, as in fit; without a scenario, that of the family is taken.",
        rich_help_panel=SHAPE,
        show_default="as in the scenario; gaussian with --formula",
    ),
]
LinkName = Annotated[
    str | None,
    typer.Option(
        "--link",
        metavar="NAME",
        help="Link of the mean, as in fit.",
        rich_help_panel=SHAPE,
        show_default="as in the scenario, or the family's own",
    ),
]

Intercept = Annotated[
    float | None, typer.Option(help="Overall intercept.", rich_help_panel=SCENARIO, show_default=_KEEP)
]
X = Annotated[
    list[str] | None,
    typer.Option(
        "--x",
        help="A predictor and its coefficient: ses=2; repeat for more.",
        rich_help_panel=SCENARIO,
        show_default=_KEEP,
    ),
]
Sd = Annotated[
    list[str] | None,
    typer.Option(
        "--sd",
        help="What varies between groups and its sd: Intercept=5 or ses=1; repeat.",
        rich_help_panel=SCENARIO,
        show_default=_KEEP,
    ),
]
Cor = Annotated[
    float | None, typer.Option(help="Correlation of what varies.", rich_help_panel=SCENARIO, show_default=_KEEP)
]
Sigma = Annotated[
    float | None, typer.Option(help="Residual sd; 0 for none.", rich_help_panel=SCENARIO, show_default=_KEEP)
]
Aux = Annotated[
    list[str] | None,
    typer.Option(
        "--aux",
        metavar="NAME=VALUE",
        help="A further parameter of the family: shape=2; repeat for more.",
        rich_help_panel=SCENARIO,
        show_default=_KEEP,
    ),
]

FormulaText = Annotated[
    str | None,
    typer.Option(
        "--formula",
        metavar="FORMULA",
        help='Any model that fit takes: "score ~ ses * sector + (1 + ses | school) + (1 | district)".',
        rich_help_panel=FORMULA,
        show_default=False,
    ),
]
TrueTexts = Annotated[
    list[str] | None,
    typer.Option(
        "--true",
        metavar="NAME=VALUE",
        help='A true value, named as in a fit\'s table: "ses=2", "sd(school)=5", "cor(school: Intercept, ses)=0.3", or '
        "for a class: b, sd, cor; repeat.",
        rich_help_panel=FORMULA,
        show_default="like the family's scenario; printed",
    ),
]
Levels = Annotated[
    list[str] | None,
    typer.Option(
        "--levels",
        metavar="COLUMN=LEVELS",
        help="How many levels a group has: school=30; a nested one has them in each group around it: class=4, or a "
        "range class=2-5. Or which levels a column of words has, in order, as in fit: sector=Public,Catholic; the "
        "outcome too. Repeat for more.",
        rich_help_panel=FORMULA,
        show_default="30 of the first group, 10 of others, 4 of nested ones; numbers",
    ),
]
Rows = Annotated[
    int | None,
    typer.Option(
        "--rows",
        min=1,
        metavar="NUMBER",
        help="Rows of a formula without groups.",
        rich_help_panel=FORMULA,
        show_default="200",
    ),
]
Per = Annotated[
    list[str] | None,
    typer.Option(
        "--per",
        metavar="COLUMN=GROUP",
        help="A predictor with one value for all rows of a group: sector=school; repeat.",
        rich_help_panel=FORMULA,
        show_default="a value for every row",
    ),
]
Offset = Annotated[
    str | None,
    typer.Option(
        "--offset",
        metavar="COLUMN",
        help="Name of a column that is added to the linear predictor, drawn as --predictors says.",
        rich_help_panel=FORMULA,
        show_default=False,
    ),
]
Reference = Annotated[
    list[str] | None,
    typer.Option(
        "--reference",
        metavar="COLUMN=LEVEL",
        help="Level that the others of a text column are compared with, as in fit; repeat.",
        rich_help_panel=FORMULA,
        show_default="the first in alphabetical order",
    ),
]
