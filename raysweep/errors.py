"""What can go wrong, as a tree.

    RaysweepError
    ├── UserError (also ValueError)   the input is wrong: exit code 2, one line, no traceback
    │   ├── ConfigError               a setting: unknown, out of range, or contradicting another
    │   ├── DataError                 footage or a prepared store: absent, empty, unreadable
    │   ├── WeightsError              pretrained weights that are absent and cannot be fetched
    │   ├── ResourceError             more than this machine or cluster can ever give
    │   └── ExperimentError           an experiment, trial or exported model that is not there
    ├── StorageError                  a full disk, or an object store that stays out of reach: exit code 1
    ├── TrainingFailed                the job itself failed: exit code 1
    └── CheckFailed                   a machine lacks something: exit code 1

A message says the rule, the value and the next step, in one line.
"""


class RaysweepError(Exception):
    """Anything raysweep raises on purpose."""


class UserError(RaysweepError, ValueError):
    """The user's input is wrong."""


class ConfigError(UserError):
    """A setting is unknown, out of range, or contradicts another."""


class DataError(UserError):
    """Footage or a prepared store is absent, empty or unreadable."""


class WeightsError(UserError):
    """Pretrained weights are absent and cannot be fetched."""


class ResourceError(UserError):
    """No machine in reach can ever satisfy the request."""


class ExperimentError(UserError):
    """An experiment, a trial or an exported model is not there, or is not what it should be."""


class StorageError(RaysweepError):
    """A disk is full, or an object store stays out of reach."""


class TrainingFailed(RaysweepError):
    """A run ended without a result."""


class CheckFailed(RaysweepError):
    """A machine lacks something that trials need."""
