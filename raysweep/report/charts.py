"""Charts, drawn by plotly.js in the reader's browser: figures go into the page as JSON."""

import json
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup
from plotly.graph_objects import Figure, Layout
from plotly.graph_objs.layout import Template

from raysweep.report.rendering import render

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#8a63d2", "#7a7a7a")
"""Okabe and Ito's colours, told apart by colour-blind readers, darkened where they would be faint on white."""
ACCENT, SPARED, REST = PALETTE[0], "#8fd3b6", "#9aa5b1"
STATES = {
    "finished": "circle",
    "running": "circle-open",
    "stopped": "x",
    "paused": "triangle-up-open",
    "diverged": "star-triangle-down",
    "failed": "star-triangle-down",
}
"""Of a trial -> its symbol."""


def layout(**settings: Any) -> Layout:
    """Without plotly's own theme: the page knows its colours, in the light and in the dark."""
    return Layout(
        template=Template(),
        margin={"l": 64, "r": 16, "t": 16, "b": 56},
        hovermode="closest",
        **settings,
    )


def figure(traces: list[Any], **settings: Any) -> Figure:
    return Figure(traces, layout(**settings))


def charted(
    chart: str, figures: Mapping[str, Figure], about: str, least_width: int = 0, label: str = ""
) -> Markup:
    """`figures` by name: the reader chooses by `label` where there are several. `about` says in a sentence what
    is seen; `least_width`: pixels below which the chart scrolls."""
    specs = {name: json.loads(it.to_json(validate=False)) for name, it in figures.items()}
    return render(
        "chart.html", chart=chart, figures=specs, about=about, least_width=least_width, label=label
    )


def plain(text: str) -> str:
    """Text that plotly shows as it is: it takes some tags for markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
