"""What a platform wheel carries: its Stan programs compiled, so that its users need neither a compiler nor httpstan.

    built/<program>-<digest of its text>    the executables, which find the library through $ORIGIN
    built/<program>-<digest of its text>.sha256    what it and its library were when the wheel was made (`seals`)
    built/libtbb.so.2
    built/stan_version, compiler_version    one line each

The build hook (`hatch_build.py`) writes the folder into the wheel; a checkout and a plain installation have none.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hierfit.errors import ToolchainError
from hierfit.stan.cache import cache_dir, make_private
from hierfit.stan.seals import fault, seal, sealed

SHIPPED = Path(__file__).parent / "built"
LIBRARY = "libtbb.so.2"


@dataclass(frozen=True)
class Shipment:
    """The programs that came with this installation.

    Attributes:
        folder: where they are.
        stan_version: such as "2.35.0".
        compiler_version: of the compiler that made them.
    """

    folder: Path
    stan_version: str
    compiler_version: str

    def find(self, name: str) -> Path | None:
        """Return the executable of that name, made runnable; None when it did not come along, or is another now.

        Raises:
            ToolchainError: it cannot be run from where it is, nor copied into the cache.
        """
        program = self.folder / name
        if not program.is_file() or self.fault(name) is not None:
            return None
        if os.access(program, os.X_OK):
            return program
        with suppress(OSError):
            program.chmod(0o755)  # an installer has dropped the run bit
            return program
        return self._copy(program)

    def fault(self, name: str) -> str | None:
        """Return why the executable of that name is not run; None where it is what was made, or did not come along."""
        if not (self.folder / name).is_file():
            return None
        return fault(self.folder, name, installed_with=Path(__file__))

    def _copy(self, program: Path) -> Path:
        """Copy a program whose mode cannot be changed into the cache, with its library."""
        home = cache_dir() / f"{self.stan_version}-shipped"
        copied = home / program.name
        if copied.is_file() and fault(home, program.name) is None:
            return copied
        try:
            make_private(home)
            seal(home, program.name, sealed(self.folder, program.name))
            for file in (self.folder / LIBRARY, program):
                part = home / f"{file.name}.part{os.getpid()}"
                shutil.copyfile(file, part)
                part.chmod(0o755)
                os.replace(part, home / file.name)
        except OSError as error:
            raise ToolchainError(
                f"{program} may not be run, and cannot be copied to {home}: {error.strerror or error}.",
                hint="Set the environment variable HIERFIT_CACHE to a folder that you may write to.",
            ) from error
        return copied


def find_shipment() -> Shipment | None:
    """Return what this installation carries; None for a checkout or a plain installation."""
    if not (SHIPPED / "stan_version").is_file():
        return None
    stan, compiler = ((SHIPPED / name).read_text().strip() for name in ("stan_version", "compiler_version"))
    return Shipment(SHIPPED, stan, compiler)
