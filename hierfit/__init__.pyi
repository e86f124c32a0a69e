# The names of `__init__.py` with their types, for type checkers and editors.
from hierfit.api.fit import fit as fit
from hierfit.api.priors import priors as priors
from hierfit.api.run import Run as Run
from hierfit.api.run import load as load
from hierfit.api.simulated import Simulated as Simulated
from hierfit.api.simulating import simulate as simulate
from hierfit.api.spoken import ChecksFailedWarning as ChecksFailedWarning
from hierfit.errors import DataError as DataError
from hierfit.errors import DiskError as DiskError
from hierfit.errors import FormulaError as FormulaError
from hierfit.errors import HierfitError as HierfitError
from hierfit.errors import Interrupted as Interrupted
from hierfit.errors import PriorError as PriorError
from hierfit.errors import RunFolderError as RunFolderError
from hierfit.errors import SamplerError as SamplerError
from hierfit.errors import ToolchainError as ToolchainError
from hierfit.errors import UsageError as UsageError

__version__: str
__all__: list[str]
