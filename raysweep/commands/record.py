"""What ranks the trials of an experiment: recorded when it begins, and what each of them is held to."""

import json

from raysweep.commands.footage import settled, store_of
from raysweep.comparable import Fingerprint, fingerprint, require_same
from raysweep.config import RunConfig
from raysweep.data.manifest import Manifest, is_finished, read_manifest
from raysweep.experiment.layout import Experiment
from raysweep.schema import parse


def held_to_record(
    run: RunConfig, manifest: Manifest, experiment: Experiment, metric: str
) -> Fingerprint:
    """What the experiment recorded; the run's own, where nothing is recorded yet.

    ConfigError where the run's scores by `metric` would not compare with the other trials'.
    """
    recorded = _recorded(experiment)
    if recorded is None:
        return fingerprint(run, manifest)
    require_same(recorded, fingerprint(run, manifest, [metric]), metric)
    return recorded


def check_record(run: RunConfig, experiment: Experiment, metric: str) -> None:
    """As `held_to_record`, before anything starts: where the store is there."""
    store = store_of(settled(run.data, experiment), experiment.folder.parent)
    if run.data.reading != "direct" and is_finished(store):
        held_to_record(run, read_manifest(store), experiment, metric)


def _recorded(experiment: Experiment) -> Fingerprint | None:
    """None: the experiment has not begun, or did so under a version that recorded nothing."""
    if not experiment.validation_file.exists():
        return None
    recorded = json.loads(experiment.validation_file.read_text()).get("fingerprint")
    return None if recorded is None else parse(Fingerprint, recorded)
