"""What is made once for many tests: the compiled Stan programs, out of reach of plain tests; Typer's commands."""

import gc
import signal
from functools import lru_cache

import pytest
import typer.main

from hierfit.engines.latent.building import build_libraries
from hierfit.errors import ToolchainError
from hierfit.stan.executable import build_all
from hierfit.stan.programs import all_programs
from hierfit.stan.toolchain import bundled_toolchain
from tests.stan.conftest import PROGRAMS, program

# A shell has its background jobs ignore SIGINT, and what these start would inherit that: the tests interrupt programs.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Typer makes the commands of an app at every call: a process of the user's has one, the tests have thousands.
typer.main.get_command = lru_cache(typer.main.get_command)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build all programs on all cores when tests of several modules will ask for them, one after another."""
    gc.collect()
    gc.freeze()  # modules and collected tests stay to the end: the collector need not look through them again
    modules = {item.path for item in session.items if item.get_closest_marker("stan")}
    if len(modules) < 2 or session.config.option.collectonly:
        return
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    say = terminal.write_line if terminal else lambda text: None
    try:
        build_libraries(say)
        build_all(bundled_toolchain(), say, [*all_programs(), *(program(path.stem) for path in PROGRAMS.iterdir())])
    except ToolchainError as error:
        say(error.message)  # the tests that need what is missing will fail, and only they


@pytest.fixture(autouse=True)
def no_programs(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Let plain tests see an empty cache, so that what they do does not depend on what has been built."""
    if request.node.get_closest_marker("stan") is None:
        monkeypatch.setenv("HIERFIT_CACHE", str(tmp_path_factory.getbasetemp() / "no-programs"))
