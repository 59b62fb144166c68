"""`tokens.json`: what a folder of codes holds; written when all of it is there."""

from typing import Any

from pydantic import Field, ValidationError, field_serializer
from torch import __version__ as torch_version

from raysweep.data.storing.manifest import Manifest, SourceRecord, versions
from raysweep.errors import DataError
from raysweep.schema import Config
from raysweep.tokens.job import Job
from raysweep.tokens.output import Output

NAME = "tokens.json"


class Tokens(Config):
    """What a folder of codes holds."""

    job: Job
    source: str
    """Where the footage was found."""
    versions: dict[str, str] = Field(
        default_factory=lambda: {**versions(), "torch": str(torch_version)}
    )
    """Package -> version of the process that ended the work."""
    records: tuple[SourceRecord, ...]
    """One per source, sorted by name."""
    frames: int = Field(
        default_factory=lambda so_far: sum(record.frames for record in so_far["records"])
    )
    """Rows, of all shards."""

    @field_serializer("records")
    def _what_is_said(self, records: tuple[SourceRecord, ...]) -> list[dict[str, Any]]:
        return [record.model_dump(exclude_defaults=True) for record in records]

    @property
    def footage(self) -> Manifest:
        """What a store of the same sources says of them."""
        settings = self.job.preprocessing
        return Manifest(source=self.source, settings=settings, records=self.records)


def read_tokens(output: Output) -> Tokens | None:
    """None where the work has not ended; DataError where it is another file."""
    if NAME not in output.held():
        return None
    with output.opened(NAME) as file:
        content = file.read()
    try:
        return Tokens.model_validate_json(content)
    except ValidationError:
        raise DataError(
            f"{NAME} must be as `raysweep tokenize` wrote it, and the one in {output.where} is not. Name another "
            "--out, or delete that file: the shards beside it stay."
        ) from None


def write_tokens(tokens: Tokens, output: Output) -> None:
    output.write(NAME, tokens.model_dump_json(indent=2).encode())
