"""A trial's best checkpoint -> a folder that works without the experiment, Ray, or pickle; or a file for others."""

from raysweep.export.folder import export
from raysweep.export.public import export_for

__all__ = ["export", "export_for"]
