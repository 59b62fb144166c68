"""deploy/grafana.json: every query names a metric that a sweep or Ray exports, and a tag that it has."""

import json
import re
from pathlib import Path

import pytest
from ray.dashboard.modules.reporter.reporter_agent import METRICS_GAUGES

from raysweep.cluster.metrics import BEST_SCORE, OF_A_TRIAL, STEPS, TRIALS

DASHBOARD = json.loads((Path(__file__).parents[2] / "deploy" / "grafana.json").read_text())
OURS = {
    TRIALS: {"experiment", "state"},
    BEST_SCORE: {"experiment", "by"},
    STEPS: {"experiment"},
    **{name: {"experiment", "trial"} for name, _ in OF_A_TRIAL.values()},
}
OF_RAY = {"instance", "GpuIndex"}
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
LEGENDS = [target["legendFormat"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
CHOICES = [it["query"] for it in DASHBOARD["templating"]["list"] if it["type"] == "query"]


def named(query: str) -> set[str]:
    return set(re.findall(r"\bray_(\w+)", query))


@pytest.mark.parametrize("query", [*QUERIES, *CHOICES])
def test_every_query_names_a_metric_that_is_exported(query) -> None:
    assert named(query)
    assert named(query) <= OURS.keys() | METRICS_GAUGES.keys()


@pytest.mark.parametrize(("query", "legend"), list(zip(QUERIES, LEGENDS, strict=True)))
def test_every_tag_of_a_query_and_its_legend_is_one_of_the_metric(query, legend) -> None:
    (metric,) = named(query)
    tags = set(re.findall(r"(\w+)=~", query)) | set(re.findall(r"{{(\w+)}}", legend))
    grouped = re.findall(r"by \(([\w, ]+)\)", query)
    tags |= {tag for group in grouped for tag in group.split(", ")}
    assert tags <= OURS.get(metric, OF_RAY)


def test_all_that_a_sweep_exports_is_shown() -> None:
    assert OURS.keys() <= set().union(*map(named, QUERIES))


def test_panels_have_numbers_and_places_of_their_own() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({(it["gridPos"]["x"], it["gridPos"]["y"]) for it in panels}) == len(panels)
