"""HTML out of the templates in `parts/`: what is put into them is text, and is escaped."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from raysweep.report.wording import NOTHING, figure, short, told


def render(template: str, **values: Any) -> Markup:
    return Markup(_templates().get_template(template).render(**values))


def part(name: str) -> Markup:
    """A file of `parts/`, as it is."""
    environment = _templates()
    assert environment.loader is not None
    return Markup(environment.loader.get_source(environment, name)[0])


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("raysweep.report", "parts"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False}
    environment.filters.update(figure=figure, told=told, short=short)
    environment.globals["nothing"] = NOTHING
    return environment
