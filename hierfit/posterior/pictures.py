"""The kinds of pictures of a run, by name: what each shows, what it takes, whether it is drawn unasked.

The name is also that of the file, but for pictures of every grouping factor where there are several. Nothing heavy is
imported, so that help and usage errors answer at once; `posterior.plots` has the functions that draw.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType


class Picture(StrEnum):
    """The kinds, in the order in which they are drawn."""

    POSTERIOR = "posterior"
    COEFFICIENTS = "coefficients"
    EFFECTS = "effects"
    GROUPS = "groups"
    LINES = "lines"
    DATA = "data"
    PPC = "ppc"
    PPC_GROUPS = "ppc_groups"
    LOO_PIT = "loo_pit"
    KHAT = "khat"
    SHRINKAGE = "shrinkage"
    TRACE = "trace"
    CHECKS = "checks"
    PAIRS = "pairs"


class FileFormat(StrEnum):
    """The formats of files of pictures, as their names end."""

    PNG = "png"
    SVG = "svg"
    PDF = "pdf"


def format_of_name(path: Path) -> FileFormat | None:
    """Return the format that the name of a file says by its ending, None where it says none."""
    ending = path.suffix.lower().removeprefix(".")
    return next((own for own in FileFormat if own.value == ending), None)


@dataclass(frozen=True)
class PictureKind:
    """What is said of a kind.

    Attributes:
        shows: what it shows.
        needs: what a run must have for it.
        usual: whether it is drawn where none is asked for.
        along: whether it runs along predictors, of which one may be asked for.
    """

    shows: str
    needs: str
    usual: bool = False
    along: bool = False


_KEPT = "effects of groups, kept with the draws"
KINDS: Mapping[Picture, PictureKind] = MappingProxyType(
    {
        Picture.POSTERIOR: PictureKind("every population-level parameter, with its prior", "draws", usual=True),
        Picture.COEFFICIENTS: PictureKind("the coefficients side by side", "a coefficient beside the intercept"),
        Picture.EFFECTS: PictureKind("the expected outcome along each predictor", "predictors", along=True),
        Picture.GROUPS: PictureKind("the coefficients of all groups, in order", _KEPT, usual=True),
        Picture.LINES: PictureKind(
            "lines of the groups over the data", f"a predictor, and {_KEPT}", usual=True, along=True
        ),
        Picture.DATA: PictureKind("the data alone, by group; true lines of simulated data", "data", along=True),
        Picture.PPC: PictureKind(
            "replicated outcomes against the data", "draws that have seen the data", usual=True
        ),
        Picture.PPC_GROUPS: PictureKind(
            "means of the groups against their predictive intervals",
            "groups of more than one row, and draws that have seen the data",
            usual=True,
        ),
        Picture.LOO_PIT: PictureKind(
            "LOO-PIT, the places of rows among predictions made without them",
            "an outcome of more than two values, and draws that have seen the data",
        ),
        Picture.KHAT: PictureKind(
            "how much hangs on single rows: Pareto k of leaving each out",
            "draws that have seen the data, 100 at least",
        ),
        Picture.SHRINKAGE: PictureKind(
            "what pooling did to each group",
            "groups of more than one row, and draws that have seen the data",
            usual=True,
        ),
        Picture.TRACE: PictureKind("what the chains did", "parameters that move", usual=True),
        Picture.CHECKS: PictureKind(
            "R-hat and ESS of all parameters, those of groups too; energies", "parameters that move", usual=True
        ),
        Picture.PAIRS: PictureKind(
            "sds and correlations in pairs; unasked where draws are divergent",
            "two sds, correlations or other parameters of spread",
            usual=True,
        ),
    }
)  # fmt: skip
