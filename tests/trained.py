"""An experiment with trials that were really trained, in this process: on a store, and written down as a driver does."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from raysweep.assemble import assemble
from raysweep.commands.footage import store_of
from raysweep.commands.record import write_validation_facts
from raysweep.commands.standing import standing
from raysweep.comparable import fingerprint
from raysweep.config import SweepConfig
from raysweep.data.reading.batches import Batches
from raysweep.data.reading.reader import MappedReader
from raysweep.data.storing.store import prepare
from raysweep.experiment.conductor import Conductor
from raysweep.experiment.events import EventLog, read
from raysweep.experiment.layout import Experiment, create
from raysweep.schema import Tree, override, parse
from raysweep.tracking.pictures import PictureFolder
from raysweep.training.loop import Report, fit
from tests.tiny import CPU, SETTINGS

CHANGES: Tree = {"training.steps": 4, "training.validate_every": 2, "data.valid_fraction": 0.4}


def trained(
    folder: Path,
    videos: Path,
    trials: Sequence[Mapping[str, object]] = ({},),
    changes: Mapping[str, object] = CHANGES,
    **search: object,
) -> Experiment:
    """`folder`: of the experiment; `trials`: what each sets, over SETTINGS and `changes`."""
    base = override(SETTINGS, {"data.source": str(videos), "data.gap": 0.0, **changes})
    sweep = parse(SweepConfig, {"name": folder.name, "space": None, "base": base, **search})
    experiment = Experiment(folder)
    create(experiment, yaml.safe_dump(sweep.model_dump(mode="json")), None)
    run = sweep.run()
    store = store_of(run.data, folder.parent)
    manifest = prepare(videos, store, run.data)
    reader, record = MappedReader(store, manifest), fingerprint(run, manifest)
    write_validation_facts(reader, manifest, run.data, record, experiment.validation_file)
    with EventLog(experiment.events) as log:
        mind = Conductor(sweep, None, standing(experiment).objective, log, read(experiment.events))
        for settings in trials:
            mind.add(settings, "by hand")
        while (proposal := mind.propose()) is not None:
            mind.start(proposal.trial)
            reports: list[Report] = []
            home = experiment.trial(proposal.trial)
            tracker = PictureFolder(home / "reconstructions")
            batches = Batches(reader, manifest, proposal.config.data, seed=0)
            parts = assemble(proposal.config, CPU, mind.objective)
            fit(parts, batches, reports.append, tracker, home / "best")
            for report in reports:
                mind.report(proposal.trial, report.step, report.metrics)
            mind.end(proposal.trial)
    return experiment
