"""Connecting to Ray: a cluster that is there, or one of our own on this machine."""

import logging
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from raysweep.cluster.ending import terminated_as_interrupted

DRIVER_RESOURCE = "raysweep_driver"
"""Custom resource of nodes that trial drivers may live on; a driver takes almost none of it."""

ENVIRONMENT = {
    "RAY_TRAIN_V2_ENABLED": "1",
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",  # one actor less per trial
    "RAY_TRAIN_COUNT_PREEMPTION_AS_FAILURE": "1",  # or Tune goes on with the trial too, beside us
    "RAY_TRAIN_ENABLE_STATE_TRACKING": "1",  # the dashboard's page of Train runs
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # our trackers write, Tune does not
    "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "3600",  # a node may leave, and another take long to come
    "TUNE_MAX_PENDING_TRIALS_PG": "1000000",  # Room says how many may wait
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # the behaviour Ray announces as its next default
    "RAY_AIR_NEW_OUTPUT": "0",  # the old output is silent when asked to be
    "RAY_OVERRIDE_JOB_RUNTIME_ENV": "1",  # a job that was submitted with these may set them again
}
"""Switches that must hold in this process and in every trial's."""
PATIENCE_SECONDS = 3.0
"""Between two looks for a head that is away."""


@contextmanager
def connected() -> Iterator[None]:
    """Ray for the duration: `RAY_ADDRESS` if set, else a local cluster that ends with the block.

    The dashboard runs too: Train's placement groups are freed through it.
    """
    os.environ.update(ENVIRONMENT)
    import ray

    if ray.is_initialized():
        yield
        return
    own = "RAY_ADDRESS" not in os.environ
    try:
        ray.init(
            include_dashboard=True if own else None,
            resources={DRIVER_RESOURCE: 1000} if own else None,
            log_to_driver=False,
            logging_level=logging.ERROR,
            runtime_env={"env_vars": ENVIRONMENT},
        )
    except SystemExit:  # Ray's answer to SIGTERM, while it starts
        raise KeyboardInterrupt from None
    with terminated_as_interrupted():
        try:
            yield
        finally:
            ray.shutdown()


def wait_for_head(tell: Callable[[str], None]) -> None:
    """Until something listens at `RAY_ADDRESS`, where that is a host and a port; `tell` hears once of a wait."""
    host, _, port = os.environ.get("RAY_ADDRESS", "").rpartition("/")[2].rpartition(":")
    told = False
    while port.isdigit() and not _listens(host, int(port)):
        if not told:
            tell(f"no cluster answers at {host}:{port}: waiting")
        told = True
        time.sleep(PATIENCE_SECONDS)


def _listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=PATIENCE_SECONDS).close()
    except OSError:
        return False
    return True
