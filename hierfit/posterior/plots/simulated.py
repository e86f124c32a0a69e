"""Simulated data, as a file, and their truth -> a picture: the data with the lines that they were made from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hierfit.design.building import build_design
from hierfit.design.outcome import find_family
from hierfit.design.prior_choice import build_spec
from hierfit.design.reading import read_columns
from hierfit.model.request import FitRequest
from hierfit.posterior.draws import Draws
from hierfit.posterior.plots.data import draw_data
from hierfit.posterior.plots.material import Material
from hierfit.posterior.plots.saving import save_figure
from hierfit.posterior.truth import Truth


def draw_simulated(request: FitRequest, content: Mapping[str, Any], path: Path) -> None:
    """Draw the rows that a fit of the request would keep, with what a truth.json holds, into a file.

    Raises:
        DataError, FormulaError, UsageError: no model can be fitted to the data.
        DiskError: the file cannot be written.
    """
    family, link = find_family(request.family, request.link)
    table = read_columns(request, family)
    design = build_design(
        request.formula, table, centered=request.centered, family=family.name, link=link, roles=request.roles
    )
    spec = build_spec(request.formula, design)
    truth = Truth.from_json(content, design)
    known = tuple(parameter for parameter in spec.parameters if parameter.name in truth.parameters)
    values = np.array([truth.parameters[parameter.name] for parameter in known])[None, None]
    draws = Draws(known, values, {factor: own[None, None] for factor, own in truth.effects.items()}, {}, 0)
    plate = draw_data(Material(draws, design, spec, truth))
    save_figure(plate.figure, path, plate.caption)
