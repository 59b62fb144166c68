"""What the codes of a folder are of: a model, how it sees frames, and footage."""

import hashlib
from collections.abc import Iterator, Sequence

from raysweep.codec.identity import STARTS
from raysweep.data.preprocessing import Preprocessing
from raysweep.data.sources.discover import Source
from raysweep.errors import DataError
from raysweep.models import Tokenizer
from raysweep.pretrained import Pretrained
from raysweep.schema import Config, Tree
from raysweep.spelling import in_bytes

VERSION = 1
"""Of the format."""
SHOWN_DIGITS = 12
"""Of a checksum, in a message."""


class CodeMap(Config):
    """One of the code maps that a frame becomes."""

    level: int
    """Of the resolutions that the model codes at, the finest being 0."""
    height: int
    """Code positions."""
    width: int
    """Code positions."""
    codebook_size: int
    """Codes are from 0 to below it."""


class Model(Config):
    """Which one: whatever folder it lies in, and whenever it was exported."""

    sha256: str
    """Of its settings and weights, as in token files (`codec/identity.py`)."""
    settings: Tree
    """Those of `model`, but for the checkpoint that its training started from."""


class Files(Config):
    """Which footage, by names and sizes."""

    files: int
    bytes: int
    sha256: str

    def __str__(self) -> str:
        return f"{self.files:,} files of {in_bytes(self.bytes)} ({self.sha256[:SHOWN_DIGITS]})"


class Job(Config):
    """Two runs of equal jobs make equal rows."""

    version: int = VERSION
    """Of the format."""
    model: Model
    maps: tuple[CodeMap, ...]
    """In the order of the model's."""
    preprocessing: Preprocessing
    """What becomes of a frame before it is coded; always its centre, and never a store's encoding."""
    footage: Files

    def differences(self, asked: "Job") -> Iterator[str]:
        """In what a folder of this job is not what is asked."""
        if self.version != asked.version:
            yield f"the format is {self.version} there, {asked.version} here"
        if self.model.sha256 != asked.model.sha256:
            there, here = (job.model.sha256[:SHOWN_DIGITS] for job in (self, asked))
            yield f"the model is {there} there, {here} here"
        for name, stored, wanted in self.preprocessing.differences(asked.preprocessing):
            yield f"{name} is {stored} there, {wanted} here"
        if self.footage != asked.footage:
            yield f"the footage is {self.footage} there, {asked.footage} here"


def job(model: Pretrained, preprocessing: Preprocessing, sources: Sequence[Source]) -> Job:
    """ConfigError where the model cannot take frames of `resolution`."""
    side, tokenizer = preprocessing.resolution, model.tokenizer
    tokenizer.check_size(side, side)
    changes = {"crop": "center", "encoding": "raw"}
    return Job(
        model=_identity(model),
        maps=_maps(tokenizer, side),
        preprocessing=preprocessing.model_copy(update=changes).preprocessing,
        footage=_files(sources),
    )


def require_same(there: Job, asked: Job, where: str) -> None:
    """DataError, saying what differs."""
    if told := "; ".join(there.differences(asked)):
        raise DataError(
            f"a folder holds codes of one model, one preprocessing and one footage, and {where} holds others: "
            f"{told}. Name another --out, or delete what is there."
        )


def _identity(model: Pretrained) -> Model:
    settings = model.config.model.model_dump(mode="json", exclude_unset=True, exclude=STARTS)
    return Model(sha256=model.network.identity.hex(), settings=settings)


def _maps(tokenizer: Tokenizer, side: int) -> tuple[CodeMap, ...]:
    return tuple(
        CodeMap(
            level=level, height=side // factor, width=side // factor, codebook_size=codebook_size
        )
        for level, (quantizer, factor) in enumerate(tokenizer.levels)
        for codebook_size in quantizer.codebook_sizes
    )


def _files(sources: Sequence[Source]) -> Files:
    files = [file for source in sources for file in source.files]
    listed = "\n".join(f"{file.name}\t{file.size}" for file in files)
    return Files(
        files=len(files),
        bytes=sum(file.size for file in files),
        sha256=hashlib.sha256(listed.encode()).hexdigest(),
    )
