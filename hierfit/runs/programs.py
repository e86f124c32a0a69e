"""Folder of a finished run -> the Stan program of its model, or the wide one that was sampled, and the data of each."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hierfit.engines.chain_state import ChainState
from hierfit.engines.choice import ENGINES
from hierfit.model.families import FAMILIES
from hierfit.runs.files import CHAINS
from hierfit.runs.finished import open_fit
from hierfit.runs.folder import open_run
from hierfit.runs.stored import program_of, require_own_program
from hierfit.stan.narrow import narrow_data, narrow_program
from hierfit.visible import visible


def program_text(run: Path) -> str:
    """Return the Stan program of the model of a run: of this model and no other, as it was saved."""
    text, record = program_of(run), open_run(run).record
    if hashlib.sha256(text.encode()).hexdigest() == record.program_sha256:  # saved before there were such programs
        found = open_fit(run)
        text = narrow_program(found.spec, found.design).text
    return text.rstrip()


def wide_program_text(run: Path) -> str:
    """Return the Stan program that was sampled, of all models of its kind, under a comment with formula and priors.

    Raises:
        RunFolderError: another version of hierfit has another one for this model.
    """
    found = open_fit(run)
    spec, engine, notes = found.spec, ENGINES[found.record.engine], []
    program = engine.program(found.design)
    require_own_program(run, program)
    priors = [f"//   {name} ~ {prior}   ({prior.source})" for name, prior in spec.priors.items()]
    if not engine.runs_program:
        notes.append("// (this program was not run: hierfit drew from its posterior by other means)")
    elif engine.on_linear_scale and not FAMILIES[spec.family].is_normal:
        notes.append(f"// (y is the logarithm of {spec.formula.response}, which is gaussian)")
    head = [f"// {spec.formula}", *notes, "// priors, in the units of the CSV:", *priors, "//"]
    return "\n".join([*map(visible, head), program.text.rstrip()])


def _narrowed(folder: Path) -> NDArray[np.float64] | None:
    """Return which effects the chains of a run saw with their mean; None where that is not known, or was none."""
    path = folder / CHAINS
    return ChainState.load(path).narrowed if path.is_file() else None


def program_data(run: Path, *, wide: bool = False) -> str:
    """Return the data of the program of a run's model, or of the wide one, as JSON."""
    found = open_fit(run)
    if wide:
        data = ENGINES[found.record.engine].data(found.spec, found.design, _narrowed(found.folder))
    else:
        data = narrow_data(found.spec, found.design)
    return json.dumps(data, default=lambda array: array.tolist())
