"""The page: one HTML file that needs nothing beside it."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from markupsafe import Markup
from plotly.offline import get_plotlyjs

from raysweep.report.contest import Comparison
from raysweep.report.curves import curves_section
from raysweep.report.importance import importance_section
from raysweep.report.leaderboard import leaderboard_section
from raysweep.report.overview import overview_section
from raysweep.report.parallel import parallel_section
from raysweep.report.plane import plane_section
from raysweep.report.rendering import part, render
from raysweep.report.saving import saving_section
from raysweep.report.section import Section
from raysweep.report.trials import trials_section

SCRIPTS = ("charts.js", "curves.js", "table.js", "trials.js")
"""Of `parts/`, in the order in which they run."""


def sections(comparison: Comparison) -> list[Section]:
    """In the order of the page."""
    return [
        overview_section(comparison),
        leaderboard_section(comparison),
        curves_section(comparison),
        plane_section(comparison),
        parallel_section(comparison),
        importance_section(comparison),
        saving_section(comparison),
        trials_section(comparison),
    ]


def page(names: Sequence[str], parts: Sequence[Section], live: str | None = None) -> str:
    """`names`: of the experiments. `live`: of a page that is served, what stands at `/version` while it is the
    latest; None: a page that stands for itself, and asks nobody."""
    own = [part(name) for name in (*SCRIPTS, *(["refresh.js"] if live is not None else []))]
    script = Markup("\n").join([*own, *(_apart(it.script) for it in parts if it.script)])
    library = Markup(get_plotlyjs())
    html = render(
        "page.html",
        names=names,
        sections=parts,
        style=Markup("\n").join([part("page.css"), *(Markup(it.style) for it in parts)]),
        scripts=[library, script],
        policy=_policy([library, script], is_served=live is not None),
        live=live,
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )
    return str(html)


def _apart(script: str) -> Markup:
    """What it names stays its own."""
    return Markup(f"(() => {{\n{script}\n}})();")


def _policy(scripts: Sequence[str], *, is_served: bool) -> str:
    """Content Security Policy: a browser runs these scripts and no other one, and fetches nothing from elsewhere."""
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {hashes}",
            "style-src 'unsafe-inline'",
            "img-src data: blob:",
            "media-src data: blob:",
            "connect-src 'self'" if is_served else "connect-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
