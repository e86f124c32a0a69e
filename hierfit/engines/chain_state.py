"""ChainState: where chains stand after adaptation, to go on drawing from there, and its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from hierfit.disk.writing import create
from hierfit.errors import RunFolderError
from hierfit.sampling import SamplerOptions, Sampling

Array = NDArray[np.float64]
_LAST = "last."


@dataclass(frozen=True)
class ChainState:
    """Where C chains stand after adaptation: all that more draws need.

    Attributes:
        step_size: [C].
        inv_metric: [C, n], or [C, n, n] for a dense metric.
        metric: its shape.
        last: last draw of every Stan variable [C, *shape].
        used: ids of random number streams that are used up.
        narrowed: which effects the last draws hold with their mean (`Centering.narrowed`); None where they hold none.
        data: what the program got, which more draws get too; not in the file.
    """

    step_size: Array
    inv_metric: Array
    metric: Literal["diag_e", "dense_e", "unit_e"]
    last: Mapping[str, Array]
    used: int
    narrowed: Array | None = None
    data: Mapping[str, Any] | None = None

    @property
    def n_chains(self) -> int:
        """C, the number of chains."""
        return len(self.step_size)

    def options(self, given: SamplerOptions) -> SamplerOptions:
        """Return the options of a round that goes on from here."""
        return replace(
            given,
            chains=self.n_chains,
            warmup=0,
            adapt=False,
            metric=self.metric,
            inv_metric=list(self.inv_metric),
            step_size=self.step_size,
            inits=[{name: values[chain] for name, values in self.last.items()} for chain in range(self.n_chains)],
            first_chain=self.used + 1,
        )

    @staticmethod
    def after(sampling: Sampling) -> ChainState:
        """Return where the chains stand after a sampling."""
        options = sampling.options
        last = {name: values[:, -1] for name, values in sampling.variables.items()}
        used = options.first_chain - 1 + options.chains
        sizes = sampling.step_size, sampling.inv_metric
        return ChainState(*sizes, options.metric, last, used, sampling.narrowed, sampling.data)

    def save(self, path: Path) -> None:
        """Write to a compressed numpy archive."""
        content: dict[str, Any] = {f"{_LAST}{name}": values for name, values in self.last.items()}
        content |= {"step_size": self.step_size, "inv_metric": self.inv_metric, "used": self.used}
        content |= {} if self.narrowed is None else {"narrowed": self.narrowed}
        with create(path) as stream:
            np.savez_compressed(stream, metric=self.metric, **content)

    @staticmethod
    def load(path: Path) -> ChainState:
        """Read what `save` wrote.

        Raises:
            RunFolderError: there is no such file, or it is damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as stored:
                last = {name.removeprefix(_LAST): stored[name] for name in stored.files if name.startswith(_LAST)}
                metric: Any = str(stored["metric"])
                narrowed = stored["narrowed"] if "narrowed" in stored.files else None
                sizes = stored["step_size"], stored["inv_metric"]
                return ChainState(*sizes, metric, last, int(stored["used"]), narrowed)
        except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
            raise RunFolderError(
                f"{path} could not be read: {error}.", hint="without it a run cannot be extended: fit again"
            ) from error
