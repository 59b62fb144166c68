"""Who stops early, one way per file; `kind` chooses.

Each settings class builds its scheduler from the base run's training.validate_every and its steps.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from raysweep.search.schedulers.base import Advice, Course, PatientConfig, Scheduler
from raysweep.search.schedulers.halving import AshaConfig
from raysweep.search.schedulers.hyperband import HyperbandConfig
from raysweep.search.schedulers.median import MedianConfig
from raysweep.search.schedulers.promoting import PromotingConfig

__all__ = ["USUAL", "Advice", "AshaConfig", "Course", "Scheduler", "SchedulerConfig"]

USUAL = {"kind": "asha"}


def _usual_kind(settings: Any) -> Any:
    """Settings without a `kind` are those of the usual one."""
    return {**USUAL, **settings} if isinstance(settings, Mapping) else settings


SchedulerConfig = Annotated[
    AshaConfig | PromotingConfig | HyperbandConfig | MedianConfig | PatientConfig,
    Field(discriminator="kind"),
    BeforeValidator(_usual_kind),
]
