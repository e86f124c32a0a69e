"""A Stan program -> Built: the same, compiled on this machine; what engines that run one have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hierfit.engines.engine import Engine, Message, Wanted
from hierfit.engines.names import EngineName
from hierfit.engines.timing import Estimate, estimate_time
from hierfit.sampling import SamplerOptions
from hierfit.stan.executable import Executable, build_executable, find_executable
from hierfit.stan.programs import StanProgram
from hierfit.stan.toolchain import find_toolchain


@dataclass(frozen=True)
class Built:
    """A compiled Stan program.

    Attributes:
        program: its text.
        executable: the same, compiled.
        compiler: what compiled it.
    """

    program: StanProgram
    executable: Executable
    compiler: str

    def describe(self, engine: EngineName, rows: int, stands_in: str | None = None) -> dict[str, Any]:
        """Return engine, toolchain, compiler and program, how many rows it sees, and why it stands in for another."""
        return {
            "engine": engine.value,
            "toolchain": self.executable.toolchain_kind,
            "stan": self.executable.stan_version,
            "compiler": self.compiler,
            "program_sha256": self.program.digest,
            "rows_sampled": rows,
            "stands_in": stands_in,
        }


def build(program: StanProgram, toolchain: str, say: Message | None) -> Built:
    """Compile a program if need be.

    Raises:
        ToolchainError: there is no Stan on this machine.
    """
    found = find_toolchain(toolchain)
    return Built(program, build_executable(program, found, say), found.compiler_version)


def estimate_built(engine: Engine, wanted: Wanted, options: SamplerOptions, warmup: int, steps: int) -> Estimate | None:
    """Return how long sampling will take where the program is built already (`timing.estimate_time`), or None.

    Raises:
        ToolchainError: there is no Stan on this machine.
        SamplerError: the program does not start from these data.
    """
    executable = find_executable(engine.program(wanted.design), find_toolchain(wanted.toolchain))
    if executable is None:
        return None
    return estimate_time(executable, engine.data(wanted.spec, wanted.design), options, warmup, steps)
