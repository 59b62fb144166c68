"""Connecting to Ray: a cluster that is there, or one of our own on this machine."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

DRIVER_RESOURCE = "raysweep_driver"
"""Custom resource of nodes that trial drivers may live on; a driver takes almost none of it."""

ENVIRONMENT = {
    "RAY_TRAIN_V2_ENABLED": "1",
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",  # one actor less per trial
    "RAY_TRAIN_ENABLE_STATE_TRACKING": "1",  # the dashboard's page of Train runs
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # our trackers write, Tune does not
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # the behaviour Ray announces as its next default
    "RAY_AIR_NEW_OUTPUT": "0",  # the old output is silent when asked to be
}
"""Switches that must hold in this process and in every trial's."""


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
    ray.init(
        include_dashboard=True if own else None,
        resources={DRIVER_RESOURCE: 1000} if own else None,
        log_to_driver=False,
        logging_level=logging.ERROR,
        runtime_env={"env_vars": ENVIRONMENT},
    )
    try:
        yield
    finally:
        ray.shutdown()
