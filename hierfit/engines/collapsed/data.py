"""ModelSpec x Design x Collapsed -> the data of the collapsed engine's program: products in place of rows."""

from __future__ import annotations

from hierfit.design.design import Design
from hierfit.design.scaling import counted_rows
from hierfit.engines.collapsed.reduction import Collapsed, gather
from hierfit.model.spec import ModelSpec
from hierfit.stan.data import StanData, shared_data


def collapsed_data(spec: ModelSpec, design: Design, rows: Collapsed) -> StanData:
    """Return the program's data as numpy arrays and ints."""
    classes = gather(rows.levels)
    return {
        "N": round(counted_rows(design)),
        **shared_data(spec, design, rows.integrated.tolist()),
        "I": len(rows.integrated),
        "integrated": rows.integrated + 1,
        "kept": rows.kept + 1,
        "D": len(classes.count),
        "levels": classes.count,
        "triangle": classes.S,
        "E": len(classes.members),
        "class": classes.members + 1,
        "q": classes.q,
        "within": rows.within,
        "prior_products": rows.prior,
    }
