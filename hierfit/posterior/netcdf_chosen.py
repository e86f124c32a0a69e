"""trace.nc -> labels of factors, and draws of chosen parameters and effects: no more is read than is asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit.model.spec import ModelSpec
from hierfit.posterior.hypotheses.names import Effect
from hierfit.posterior.netcdf_names import factor_names
from hierfit.posterior.netcdf_reading import opened, parameter_draws, texts

Array = NDArray[np.float64]


class Chosen:
    """An open trace.

    Attributes:
        shape: chains, draws.
    """

    def __init__(self, file: Any, spec: ModelSpec) -> None:
        self._posterior, self._spec = file["posterior"], spec
        self._names = factor_names([group.factor for group in spec.groups])
        self.shape = (len(self._posterior["chain"]), len(self._posterior["draw"]))

    def labels(self, factor: str) -> tuple[str, ...]:
        """Return the labels of the levels of a factor."""
        return texts(self._posterior[self._names[factor]])

    def parameters(self, names: Collection[str]) -> dict[str, Array]:
        """Return the draws of population-level parameters [chains, draws]."""
        wanted = [parameter for parameter in self._spec.parameters if parameter.name in names]
        return {parameter.name: _double(parameter_draws(self._posterior, parameter)) for parameter in wanted}

    def effects(self, wanted: Mapping[str, Effect]) -> dict[str, Array]:
        """Return the draws of effects of levels [chains, draws], deviations from the population value."""
        return {
            name: _double(self._posterior[f"u_{self._names[effect.factor]}"][:, :, effect.level, effect.term])
            for name, effect in wanted.items()
        }


def _double(values: Any) -> Array:
    return np.asarray(values, dtype=np.float64)


@contextmanager
def choosing(path: Path, spec: ModelSpec) -> Iterator[Chosen]:
    """Open what `write_netcdf` wrote.

    Raises:
        RunFolderError: the file is missing, cut off, or not of this model.
    """
    with opened(path) as file:
        yield Chosen(file, spec)
