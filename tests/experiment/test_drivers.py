"""Which drivers died, and how often one was started again in vain, by their events alone."""

import pytest

from raysweep.experiment.drivers import ended_by_itself, fruitless_restarts

HISTORIES = [
    # kinds of events; whether the last driver ended by itself; restarts in vain
    ("", False, 0),  # it died before its first decision
    ("opened proposed started report closed", True, 0),
    ("opened proposed started report", False, 0),
    ("opened report closed opened report", False, 0),
    ("opened report restarted", False, 1),
    ("opened report restarted opened started restarted opened", False, 2),
    ("opened restarted restarted opened report restarted", False, 1),
    ("restarted opened tested restarted opened ended closed", True, 0),
    ("restarted opened proposed paused promoted restarted", False, 2),
]


@pytest.mark.parametrize(("kinds", "by_itself", "in_vain"), HISTORIES)
def test_a_history_tells(kinds, by_itself, in_vain):
    events = [{"kind": kind, "trial": "", "time": 0.0} for kind in kinds.split()]
    assert ended_by_itself(events) is by_itself
    assert fruitless_restarts(events) == in_vain
