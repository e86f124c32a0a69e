"""Every request to stop is a KeyboardInterrupt, but what is shielded is brought to its end."""

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from hierfit.interrupts import asked_to_stop, listening, shielded

ALL = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """Have no request ignored from the start, as it is in background jobs and under nohup."""
    before = {number: signal.getsignal(number) for number in ALL}
    for number in ALL:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def send(number: signal.Signals) -> None:
    """Send a signal to this process, and have it handled before going on."""
    signal.pthread_kill(threading.get_ident(), number)


@pytest.mark.parametrize("number", ALL)
def test_all_act_like_ctrl_c(number: signal.Signals) -> None:
    before = [signal.getsignal(each) for each in ALL]
    with listening():
        assert not asked_to_stop()
        with pytest.raises(KeyboardInterrupt):
            send(number)
        assert asked_to_stop()
    assert [signal.getsignal(each) for each in ALL] == before


def test_signals_that_come_twice_are_one_and_ctrl_c_is_heard_again() -> None:
    with listening():
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGTERM)
        send(signal.SIGTERM)
        send(signal.SIGHUP)
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)


def test_what_was_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with listening():
            os.kill(os.getpid(), signal.SIGHUP)
        assert not asked_to_stop()
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", ALL)
def test_a_shield_notes_and_goes_on(number: signal.Signals) -> None:
    with listening(), shielded() as outer:
        with shielded() as inner:
            send(number)
            assert inner.asked and outer.asked
        with shielded() as later:
            assert not later.asked
        send(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)  # somebody insists
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)


def test_a_shield_without_the_command_line_is_for_ctrl_c() -> None:
    before = signal.getsignal(signal.SIGINT)
    with shielded() as shield:
        send(signal.SIGINT)
        assert shield.asked
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_need_no_shield() -> None:
    found: list[bool] = []

    def work() -> None:
        with shielded() as shield:
            found.append(shield.asked)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [False]
