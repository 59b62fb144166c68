"""What a model is and what it costs, before or after it is trained."""

from dataclasses import replace
from pathlib import Path

from raysweep.commands.console import say
from raysweep.commands.plan import Request, compose
from raysweep.errors import ConfigError, ExperimentError
from raysweep.models.summary import summarize


def describe(model: Path | None, request: Request) -> None:
    """Of the settings that a person wrote, or of those in the exported folder `model` under them."""
    run = compose(_exported(model, request) if model else request, None, None).run()
    kind, quantizer, side = run.model.kind, run.model.quantizer.kind, run.data.resolution
    page = summarize(run.model, side)
    say(f"{kind} with a {quantizer} quantizer, for frames of {side} x {side} px\n\n{page.rstrip()}")


def _exported(model: Path, request: Request) -> Request:
    if request.config:
        raise ConfigError(
            f"a model has its own settings, got {model} and --config {request.config}. Name one of them."
        )
    settings = model / "config.json"
    if not settings.is_file():
        raise ExperimentError(
            f"an exported model has a config.json, {settings} is missing. Name a folder that "
            "`raysweep export` wrote, or no folder and --config or --set; a trial's page is its summary.txt."
        )
    return replace(request, config=settings)
