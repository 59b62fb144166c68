"""TensorBoard reads what is written, and compares trials by their settings."""

from pathlib import Path

import pytest
from google.protobuf.struct_pb2 import Value
from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.context import RequestContext
from tensorboard.plugins.base_plugin import TBContext
from tensorboard.plugins.hparams import get_experiment, list_session_groups
from tensorboard.plugins.hparams.api_pb2 import (
    ColParams,
    GetExperimentRequest,
    ListSessionGroupsRequest,
    MetricInfo,
    Status,
)
from tensorboard.plugins.hparams.backend_context import Context

from raysweep.tracking.tensorboard import TensorBoard
from tests.tracking.made import some_picture


def test_tensorboard_shows_each_step_once_after_a_resume(tmp_path: Path) -> None:
    for resume_step, steps, value in ((None, (10, 20, 30), 1.0), (20, (30, 40), 2.0)):
        tracker = TensorBoard(tmp_path, resume_step, {})
        for step in steps:
            tracker.scalars(step, {"val/psnr": value})
        tracker.image(steps[-1], "val/pictures", some_picture())
        tracker.close()
    events = EventAccumulator(str(tmp_path)).Reload()
    shown = [(event.step, event.value) for event in events.Scalars("val/psnr")]
    assert shown == [(10, 1.0), (20, 1.0), (30, 2.0), (40, 2.0)]
    assert events.Images("val/pictures")[-1].width == 20


class Sessions:
    """What TensorBoard's page HParams shows of a folder."""

    def __init__(self, folder: Path) -> None:
        multiplexer = EventMultiplexer().AddRunsFromDirectory(str(folder)).Reload()
        provider = MultiplexerDataProvider(multiplexer, str(folder))
        context = TBContext(logdir=str(folder), multiplexer=multiplexer, data_provider=provider)
        self._asked = (RequestContext(), Context(context), "")
        everything = GetExperimentRequest()
        experiment = get_experiment.Handler(*self._asked, everything).run()
        self.settings = {info.name: info.differs for info in experiment.hparam_infos}
        """Name -> whether runs differ in it."""
        self.metrics = {info.name.tag: info.name for info in experiment.metric_infos}

    def rows(self, setting: str, metric: str) -> dict[str, tuple[object, float]]:
        """By run."""
        wanted = [MetricInfo(name=name) for name in self.metrics.values()]
        request = ListSessionGroupsRequest(
            start_index=0,
            slice_size=100,
            allowed_statuses=[Status.Value("STATUS_UNKNOWN")],
            col_params=[ColParams(metric=info.name) for info in wanted],
        )
        answer = list_session_groups.Handler(*self._asked, request).run()
        return {
            group.name: (
                _plain(group.hparams[setting]),
                next(value.value for value in group.metric_values if value.name.tag == metric),
            )
            for group in answer.session_groups
        }


def _plain(value: Value) -> object:
    return getattr(value, str(value.WhichOneof("kind")))


def test_tensorboard_compares_the_settings_and_last_figures_of_trials(tmp_path: Path) -> None:
    for trial, rate in (("0000", 0.1), ("0001", 0.2)):
        settings = {"training": {"learning_rate": rate}, "model": {"kind": "conv", "ch": [1, 2]}}
        for resume_step in (None, 10):
            tracker = TensorBoard(tmp_path / trial / "tensorboard", resume_step, settings)
            tracker.scalars((resume_step or 0) + 10, {"val/psnr": rate + (resume_step or 0)})
            tracker.close()
    seen = Sessions(tmp_path)
    assert seen.settings == {"training.learning_rate": True, "model.kind": False, "model.ch": False}
    assert seen.metrics.keys() == {"val/psnr"}
    assert seen.rows("training.learning_rate", "val/psnr") == {
        "0000/tensorboard": (0.1, pytest.approx(10.1)),
        "0001/tensorboard": (0.2, pytest.approx(10.2)),
    }
