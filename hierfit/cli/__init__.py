"""The command line: read options, call one workflow function, show what it returned."""

import signal


def main() -> None:
    """Run the command line and leave with its exit code; Ctrl-C while it starts, or after its work, is no error."""
    heard = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # or else Ctrl-C is to be ignored
    if heard:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # imports that are interrupted leave a traceback
    from hierfit.cli.app import main as run

    try:
        run()
    finally:
        if heard:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
