"""The same sweep, as plotly and Optuna draw it by themselves."""

from collections.abc import Sequence
from pathlib import Path

import optuna
import plotly.graph_objects as go
from optuna import visualization
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState

from raysweep.experiment.events import read
from raysweep.experiment.layout import Experiment
from raysweep.experiment.records import TrialRecord, replay

METRIC = "val/psnr"
FIGURES = (
    visualization.plot_optimization_history,
    visualization.plot_intermediate_values,
    visualization.plot_parallel_coordinate,
    visualization.plot_param_importances,
)
STATES = {"finished": TrialState.COMPLETE, "stopped": TrialState.PRUNED}
RANGES: dict[str, BaseDistribution] = {
    "training.learning_rate": FloatDistribution(1e-5, 1e-3, log=True),
    "model.quantizer.kind": CategoricalDistribution(["gradient", "ema", "fsq"]),
    "model.quantizer.codebook_size": CategoricalDistribution([256, 1024, 4096, 16384]),
    "loss.disc_start": FloatDistribution(0.1, 0.7),
    "loss.disc_weight": FloatDistribution(10**-1.5, 1, log=True),
}


def curves(experiment: Experiment, page: Path) -> None:
    """The learning curves alone, a trace a trial."""
    figure = go.Figure()
    for record in _records(experiment):
        steps, values = list(record.reports), [it[METRIC] for it in record.reports.values()]
        figure.add_trace(go.Scatter(x=steps, y=values, mode="lines", name=record.trial))
    page.write_text(figure.to_html(include_plotlyjs=True), encoding="utf-8")


def figures(experiment: Experiment, page: Path) -> None:
    """Optuna's history, intermediate values, parallel coordinates and importances on one page."""
    study = _study(_records(experiment))
    parts = [
        draw(study).to_html(include_plotlyjs=not place, full_html=False)
        for place, draw in enumerate(FIGURES)
    ]
    page.write_text(f"<html><body>{''.join(parts)}</body></html>", encoding="utf-8")


def _records(experiment: Experiment) -> list[TrialRecord]:
    return list(replay(read(experiment.events)).values())


def _study(records: Sequence[TrialRecord]) -> optuna.Study:
    study = optuna.create_study(direction="maximize")
    for record in records:
        state = STATES.get(record.state, TrialState.FAIL)
        values = {step: it[METRIC] for step, it in record.reports.items()}
        trial = optuna.trial.create_trial(
            state=state,
            value=None if state is TrialState.FAIL else max(values.values()),
            params=record.params,
            distributions=RANGES,
            intermediate_values=values,
        )
        study.add_trial(trial)
    return study
