"""A command that goes on for another one waits for the head, where it knows where that is."""

import socket

import pytest

from raysweep.cluster import runtime


def test_a_head_that_is_away_is_waited_for(monkeypatch):
    monkeypatch.setattr(runtime, "PATIENCE_SECONDS", 0.01)
    told = []
    with socket.socket() as head:
        head.bind(("127.0.0.1", 0))  # and does not listen yet

        def tell(text: str) -> None:
            told.append(text)
            head.listen()

        address = f"127.0.0.1:{head.getsockname()[1]}"
        for written in (address, f"ray://{address}"):
            monkeypatch.setenv("RAY_ADDRESS", written)
            runtime.wait_for_head(tell)
    assert told == [f"no cluster answers at {address}: waiting"]


@pytest.mark.parametrize("address", [None, "auto"])
def test_a_cluster_of_this_machine_is_there_or_not(address, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    if address is not None:
        monkeypatch.setenv("RAY_ADDRESS", address)
    runtime.wait_for_head(pytest.fail)
