"""The processes of the chains: started through cmdstanpy, watched, stopped, and their failures put into words."""

from __future__ import annotations

import errno
import re
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hierfit.disk.scratch import no_room
from hierfit.disk.writing import has_room, is_full
from hierfit.errors import HierfitError, SamplerError, UsageError
from hierfit.interrupts import shielded
from hierfit.stan.children import child_done, start_child
from hierfit.stan.cmdstan_interface import load_cmdstanpy
from hierfit.stan.executable import Executable
from hierfit.stan.stan_csv import ChainFiles

if TYPE_CHECKING:
    from hierfit.sampling import SamplerOptions

_OUT_OF_MEMORY = "bad_alloc|Cannot allocate memory"
# What a chain says on its console when it fails -> what that means, and what to try. The first that fits is taken.
_FAILURES: tuple[tuple[str, str, str | None], ...] = (
    (
        r"Initialization (between|failed)",
        "The sampler found no starting point at which the posterior density is finite.",
        "Check for outcomes that the family cannot produce and for priors that exclude each other.",
    ),
    (
        r"Exception initializing step size",
        "The sampler found no step size with which it can move: the posterior is improper or changes too abruptly.",
        "Give every parameter a proper prior.",
    ),
    (
        r"variable does not exist|dims found=\(\)",
        "The data lack a variable that the Stan program asks for, or have a single number for it.",
        None,
    ),
    (
        r"mismatch in (dimension|number)",
        "A variable in the data has another shape than the Stan program asks for.",
        None,
    ),
    (r"is not JSON", "The data file cannot be read.", None),
    (_OUT_OF_MEMORY, "The sampler ran out of memory.", "Use fewer parallel chains."),
    (
        r"error while loading shared libraries",
        "The built Stan program lacks a library.",
        "Delete the cache that `hierfit doctor` names; the program is then built again.",
    ),
    (
        r"(not positive definite|[Ii]nverse .*metric)",
        "The inverse metric that was given cannot be used.",
        None,
    ),
)
# What a chain says that cannot write, where it still can say something.
_DISK_FULL = re.compile(r"No space left on device|basic_ios::clear|Disk quota exceeded")
_TELLING = re.compile(r"error|exception|fail|cannot|bad value|unknown|mismatch|does not", flags=re.IGNORECASE)

_POLL_SECONDS = 0.1


class Chains:
    """The chains of one run: files that grow, processes that can be stopped."""

    def __init__(self, executable: Executable, options: SamplerOptions, folder: Path) -> None:
        self.files: tuple[ChainFiles, ...] = ()
        self._executable = executable
        self._options = options
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self._statuses: dict[int, int] = {}
        self._stopping = False
        self._starting = threading.Lock()  # so that none is started while the others are being stopped

    def run(self, data: Mapping[str, Any]) -> None:
        """Run all chains to their end; cmdstanpy's errors pass through."""
        from stanio import dump_stan_json

        data_file = self._folder / "data.json"
        data_file.write_text(dump_stan_json(data))
        outer = self

        class Model(load_cmdstanpy().CmdStanModel):  # type: ignore[misc]
            """cmdstanpy 1.3 with its process runner replaced: console straight to its file, processes within reach."""

            def _run_cmdstan(self, runset: Any, idx: int, *_: Any, **__: Any) -> None:
                runset._set_retcode(idx, outer._run_chain(runset, idx))

        model = Model(exe_file=str(self._executable.path))
        model.sample(data=str(data_file), **self._arguments())

    def update(self) -> None:
        """Read how far the chains have come."""
        for files in self.files:
            files.update()

    def stop(self, grace: float) -> None:
        """End the chains that still run: SIGTERM lets them finish a draw; after `grace` seconds they are killed.

        Whoever asks to stop meanwhile does not want to wait: they are killed at once.
        """
        with shielded() as shield:
            with self._starting:
                self._stopping = True
            for process in self._processes:
                if process.poll() is None:
                    process.terminate()
            deadline = time.monotonic() + grace
            for process in self._processes:
                while process.poll() is None and time.monotonic() < deadline and not shield.asked:
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(_POLL_SECONDS)
                process.kill()

    @property
    def lost(self) -> tuple[int, ...]:
        """The chains, from 0, that were killed or ran out of memory while others came to their end."""
        failed = {index for index, status in self._statuses.items() if status != 0}
        if (
            len(failed) == len(self._statuses)
            or -signal.SIGXFSZ in self._statuses.values()
            or not all(self._was_killed(index) for index in failed)
        ):
            return ()
        return tuple(sorted(failed))

    def _was_killed(self, index: int) -> bool:
        return self._statuses[index] < 0 or re.search(_OUT_OF_MEMORY, self._said(index)) is not None

    def raise_if_full(self) -> None:
        """Raise DiskError when a chain could not write."""
        if -signal.SIGXFSZ in self._statuses.values():
            raise no_room(self._folder, OSError(errno.EFBIG, ""))
        consoles = [self._said(index) for index, status in self._statuses.items() if status != 0]
        if any(_DISK_FULL.search(said) for said in consoles) or not has_room(self._folder):
            raise no_room(self._folder)

    def raise_failure(self, error: BaseException | None) -> None:
        """Raise SamplerError when a chain failed, UsageError when cmdstanpy refused the options.

        Chains that were `lost` are no failure, and a disk that is full is a DiskError.
        """
        failed = [index for index, status in sorted(self._statuses.items()) if status != 0]
        if failed and not self.lost:
            self.raise_if_full()
            raise self._failure(failed[0])
        if self.lost:
            return
        if isinstance(error, HierfitError):
            raise error
        if isinstance(error, OSError) and is_full(error):
            raise no_room(self._folder, error) from error
        if isinstance(error, (ValueError, TypeError)):
            raise UsageError(f"The sampler does not take these options: {_first_line(error)}") from error
        if error is not None:
            raise SamplerError(f"The sampler could not be run: {_first_line(error)}") from error

    def _run_chain(self, runset: Any, index: int) -> int:
        """Run one chain; called by cmdstanpy from a thread per chain."""
        if not self.files:
            pairs = zip(runset.stdout_files, runset.csv_files, strict=True)
            self.files = tuple(ChainFiles(Path(console), Path(csv)) for console, csv in pairs)
        with self._starting, self.files[index].console.open("w") as console:
            if self._stopping:
                return 130
            process = start_child(runset.cmd(index), stdout=console, stderr=subprocess.STDOUT)
            self._processes.append(process)
        self._statuses[index] = process.wait()
        child_done(process)
        return self._statuses[index]

    def _arguments(self) -> dict[str, Any]:
        """The arguments of CmdStanModel.sample."""
        options = self._options
        iterations = options.warmup_iterations + options.draws
        return {
            "chains": options.chains,
            "parallel_chains": options.parallel_chains,
            "chain_ids": list(range(options.first_chain, options.first_chain + options.chains)),
            "iter_warmup": options.warmup_iterations,
            "iter_sampling": options.draws,
            "seed": options.seed,
            "inits": _plain(options.inits),
            "metric": options.metric,
            "inv_metric": _plain(options.inv_metric),
            "step_size": np.asarray(options.step_size).tolist() if options.step_size is not None else None,
            "adapt_engaged": options.adapt,
            "adapt_delta": options.adapt_delta if options.adapt else None,
            "max_treedepth": options.max_treedepth,
            "sig_figs": options.sig_figs,
            "output_dir": str(self._folder),
            "refresh": max(1, iterations // 100),
            "show_progress": False,
            "force_one_process_per_chain": True,
        }

    def _said(self, index: int) -> str:
        return self.files[index].console.read_text(errors="replace")

    def _failure(self, index: int) -> SamplerError:
        console = self._said(index)
        status = self._statuses[index]
        chain = index + self._options.first_chain
        for pattern, meaning, hint in _FAILURES:
            found = re.search(rf"^.*(?:{pattern}).*$", console, flags=re.MULTILINE)
            if found:
                said = (found.group() + _reason(console, found.start())).strip()[:400]
                return SamplerError(f"{meaning} Chain {chain} said: {said}", hint=hint)
        if status == -9:
            message = f"Chain {chain} was killed, most often because memory ran out."
            return SamplerError(message, hint="Use fewer parallel chains.")
        lines = [line.strip() for line in console.splitlines() if line.strip()]
        telling = [line for line in lines if _TELLING.search(line)] or lines or ["nothing"]
        return SamplerError(f"Chain {chain} failed with status {status}. It said: {telling[-1][:400]}")


def _reason(console: str, end: int) -> str:
    """Why the last initial value was rejected, if Stan said so before its last words."""
    reasons = re.findall(r"^Rejecting initial value:\n.*\n(.*)$", console[:end], flags=re.MULTILINE)
    return f"({reasons[-1].strip()})" if reasons else ""


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _plain(value: Any) -> Any:
    """Sequences as lists and one mapping per chain as dicts, which is what cmdstanpy looks for."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
