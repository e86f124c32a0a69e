"""Children end with their parent, whatever ends it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hierfit.stan.children import NOT_FOUND, child_done, run_child, start_child

# Starts a program and a group whose child sleeps, says their numbers, and waits.
PARENT = """
import sys, time
from hierfit.stan.children import start_child, child_done
first = start_child(["sleep", "0"]); first.wait(); child_done(first)
alone = start_child(["sleep", "60"])
group = start_child(["sh", "-c", "sleep 60 & echo $!; wait"], group=True, stdout=-1, text=True)
print(first.pid, alone.pid, group.pid, group.stdout.readline().strip(), flush=True)
time.sleep(60)
"""


def is_running(process: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_child_outlives_its_parent(number: signal.Signals) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    first, *children = [int(word) for word in parent.stdout.readline().split()]
    assert len(children) == 3 and all(is_running(child) for child in children) and not is_running(first)
    parent.send_signal(number)
    parent.wait()
    deadline = time.monotonic() + 10
    while any(is_running(child) for child in children) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(is_running(child) for child in children)


def test_a_child_that_starts_while_its_parent_dies_is_not_missed() -> None:
    text = "import os; from hierfit.stan.children import start_child\n"
    text += "child = start_child(['sleep', '60']); print(child.pid, flush=True); os.kill(os.getpid(), 9)"
    said = subprocess.run([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True, check=False).stdout
    deadline = time.monotonic() + 10
    while is_running(int(said)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(int(said))


def test_a_child_is_the_program_itself() -> None:
    child = start_child(["sh", "-c", 'echo $$ "$1"; cat', "-", "a  b"], stdout=subprocess.PIPE, text=True)
    said, _ = child.communicate(timeout=120)
    child_done(child)
    assert said.splitlines()[0] == f"{child.pid} a  b"
    assert child.returncode == 0  # and cat has found its input at an end


def test_running_to_the_end_and_not_finding() -> None:
    done = run_child(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (done.returncode, done.stdout) == (3, "out\nerr\n")
    assert run_child(["no-such-program"]).returncode == NOT_FOUND
    started = time.monotonic()
    with pytest.raises(subprocess.TimeoutExpired):
        run_child(["sleep", "60"], timeout=0.1)
    assert time.monotonic() - started < 20


def test_a_forked_process_has_children_of_its_own() -> None:
    run_child(["true"])
    process = os.fork()
    if process == 0:
        os._exit(run_child(["sh", "-c", "exit 7"]).returncode)
    assert os.WEXITSTATUS(os.waitpid(process, 0)[1]) == 7
