"""`hierfit doctor`: findings about this machine, and a trial fit."""

from __future__ import annotations

from typing import Annotated

import typer

from hierfit.cli.options.shared import Toolchain, ToolchainChoice
from hierfit.cli.page import show
from hierfit.errors import ExitCode


def doctor(
    toolchain: Toolchain = ToolchainChoice.AUTO,
    install_cmdstan: Annotated[
        bool, typer.Option("--install-cmdstan", help="Install CmdStan first: downloads and builds about 1 GB.")
    ] = False,
    build: Annotated[
        bool,
        typer.Option(
            "--build", help="Compile all Stan programs first, on all cores, so that no fit has to wait for it."
        ),
    ] = False,
) -> None:
    """Check that this machine can fit: Stan, compiler, cache, and a trial fit.

    [dim]hierfit doctor[/dim]

    [dim]hierfit doctor --build[/dim]
    """
    from hierfit import machine
    from hierfit.cli.show.progress import Reporter

    reporter = Reporter(quiet=False)
    if install_cmdstan:
        machine.install_cmdstan(reporter.say)
    if build:
        machine.build_programs(toolchain.value, reporter.say)
    ok = True
    for finding in machine.examine(toolchain.value, reporter.say):
        ok = ok and finding.ok
        show(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.name:<14}  {finding.value}")
        if not finding.ok and finding.advice:
            show(f"{'':<22}try: {finding.advice}")
    if not ok:
        raise typer.Exit(ExitCode.SAMPLER)
    show("This machine can fit.")
