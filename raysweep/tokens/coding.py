"""A worker's part: a shard's footage through the model, into its file."""

from collections.abc import Callable, Iterator
from itertools import accumulate, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch
from safetensors.torch import load, save
from torch import Tensor

from raysweep.codec.network import frames_per_pass
from raysweep.config import RunConfig
from raysweep.data.decoding.decode import Frames, to_rgb
from raysweep.data.decoding.fit import fit
from raysweep.data.sources.discover import Source
from raysweep.data.storing.frames import Incomplete, Shown, SourceReader
from raysweep.data.storing.making import Diary, diary
from raysweep.data.storing.manifest import SourceRecord
from raysweep.data.storing.scenes import Cuts
from raysweep.errors import ResourceError
from raysweep.full_disk import told_when_full
from raysweep.pretrained import Pretrained
from raysweep.tokens.job import Job
from raysweep.tokens.output import Output, Unfinished
from raysweep.tokens.shards import FOLDER, Shard
from raysweep.tokens.table import Note, Place, rows, schema, write

Code = Callable[[Shard], list[SourceRecord]]
"""Makes a shard's file, and tells what became of its sources."""


class Packed(NamedTuple):
    """A model as it travels to workers."""

    config: RunConfig
    weights: bytes
    """As safetensors."""


def packed(model: Pretrained) -> Packed:
    state = model.tokenizer.state_dict()
    return Packed(model.config, save({name: t.cpu().contiguous() for name, t in state.items()}))


def unpacked(model: Packed, device: str) -> Pretrained:
    tokenizer = model.config.model.build()
    tokenizer.load_state_dict(load(model.weights))
    return Pretrained(tokenizer, model.config, torch.device(device))


class Coded(NamedTuple):
    """What became of a source."""

    record: SourceRecord
    rows: int
    """That were written, those of a bad source too."""


class Coder:
    """Codes shards by one model, which stays loaded."""

    def __init__(self, model: Pretrained, job: Job, output: Output, unfinished: Unfinished) -> None:
        self._model, self._job, self._output = model, job, output
        self._unfinished = unfinished

    def __call__(self, shard: Shard) -> list[SourceRecord]:
        """Only its end says whether a video is whole, so all rows wait in a file before the good ones are kept."""
        waiting, part, tries = (
            self._unfinished.file(f"{shard.name}.{kind}") for kind in ("arrow", "part", "diary")
        )
        try:
            with told_when_full(part), diary(tries) as told:
                coded = self._stream(shard, waiting, told)
                records = tuple(source.record for source in coded)
                write(part, _kept(waiting, coded), Note(job=self._job, records=records))
                self._output.take(part, f"{FOLDER}/{shard.name}")
        finally:
            waiting.unlink(missing_ok=True)
            part.unlink(missing_ok=True)
        return list(records)

    def _stream(self, shard: Shard, waiting: Path, tries: Diary) -> list[Coded]:
        of = schema(self._job.maps)
        with pa.OSFile(str(waiting), "wb") as file, pa.ipc.new_file(file, of) as writer:
            return [self._source(source, shard, writer, tries) for source in shard.sources]

    def _source(
        self, source: Source, shard: Shard, writer: pa.RecordBatchFileWriter, tries: Diary
    ) -> Coded:
        record = SourceRecord(name=source.name, split=None, source_bytes=source.size)
        reader = SourceReader(source, self._job.preprocessing, tries)
        written = 0
        try:
            for batch in self._batches(source, reader):
                writer.write_batch(batch)
                written += len(batch)
        except Incomplete as error:
            return Coded(record.model_copy(update={"error": str(error)}), written)
        return Coded(record.model_copy(update=_told(reader, shard, written)), written)

    def _batches(self, source: Source, reader: SourceReader) -> Iterator[pa.RecordBatch]:
        """Each as many frames as pass through the network at once; none has frames of two sources."""
        seen, side = self._seen(source, reader), self._job.preprocessing.resolution
        while group := list(islice(seen, frames_per_pass(side, side))):
            places, frames_HWC = zip(*group, strict=True)
            yield rows(places, self._codes(np.stack(frames_HWC)), self._job.maps)

    def _codes(self, frames_THWC: Frames) -> tuple[Tensor, ...]:
        try:
            return self._model.encode(frames_THWC)
        except torch.OutOfMemoryError:
            side = self._job.preprocessing.resolution
            raise ResourceError(
                f"a worker codes {len(frames_THWC)} frames of {side} px at a time, and its GPU has no memory left for "
                "them. Give each worker a whole one with --gpus 1, or lower data.resolution."
            ) from None

    def _seen(self, source: Source, reader: SourceReader) -> Iterator[tuple[Place, Frames]]:
        settings, cuts = self._job.preprocessing, Cuts()
        for number, shown in enumerate(reader.shown()):
            frame_HWC = to_rgb(fit(shown.frame_HWC, settings))
            if settings.images:
                yield Place(shown.file, 0, 0, None, 0), frame_HWC
            else:
                cuts.see(frame_HWC)
                yield _place(source, shown, number, len(cuts.at)), frame_HWC


def _place(source: Source, shown: Shown, number: int, scene: int) -> Place:
    if source.frames:  # images have no time
        return Place(source.name, number, number, None, scene)
    return Place(source.name, number, shown.number, shown.seconds, scene)


def _told(reader: SourceReader, shard: Shard, frames: int) -> dict[str, object]:
    """What a record says of a source that was read to its end."""
    if not frames:
        skipped = reader.skipped_files
        return {"error": next(iter(skipped.values())), "skipped_files": skipped}
    return {
        "shard": shard.name,
        "frames": frames,
        "fps": reader.fps,
        "lacks": reader.lacks,
        "skipped_files": reader.skipped_files,
    }


def _kept(waiting: Path, coded: list[Coded]) -> pa.Table:
    """The rows of the good sources; they stay in their file until they are written."""
    table = pa.ipc.open_file(pa.memory_map(str(waiting))).read_all()
    ends = accumulate(source.rows for source in coded)
    return pa.concat_tables(
        [
            table.slice(0, 0),
            *(
                table.slice(end - source.rows, source.rows)
                for source, end in zip(coded, ends, strict=True)
                if source.record.error is None
            ),
        ]
    )
