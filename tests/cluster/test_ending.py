"""SIGTERM does what Ctrl-C would do at that moment, once, and only inside."""

import signal

import pytest

from raysweep.cluster.ending import terminated_as_interrupted


def test_sigterm_interrupts():
    with terminated_as_interrupted(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)


def test_who_answers_ctrl_c_answers_sigterm_and_the_second_is_not_heard():
    heard = []
    before = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    try:
        with terminated_as_interrupted():
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [signal.SIGINT]


def test_where_ctrl_c_is_ignored_sigterm_is_not():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with terminated_as_interrupted(), pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGINT, before)


def test_afterwards_all_is_as_before():
    before = signal.getsignal(signal.SIGTERM)
    with terminated_as_interrupted():
        pass
    assert signal.getsignal(signal.SIGTERM) is before
