"""What every reader reads: one set of clips, as videos, as a prepared store and as one array of frames."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from raysweep.data import DataConfig
from raysweep.data.index.clips import Clip, index_clips
from raysweep.data.index.order import epoch_order
from raysweep.data.reading.reader import MappedReader
from raysweep.data.storing.manifest import Manifest, read_manifest
from raysweep.data.storing.shards import SEGMENT_FRAMES

CONFIG = DataConfig(resolution=128, clip_length=8, batch_size=8)
SEED = 0


class Material(NamedTuple):
    footage: Path
    """Folder of videos."""
    store: Path
    """Prepared from them."""
    array: Path
    """.npy of the store's frames (T, H, W, C), source after source in the manifest's order."""

    @property
    def manifest(self) -> Manifest:
        return read_manifest(self.store)


def clips_in_order(material: Material) -> list[Clip]:
    """The training clips, in the order in which our first epoch visits them."""
    clips = index_clips(material.manifest, "train", CONFIG)
    return [clips[visited] for visited in epoch_order(len(clips), SEED, epoch=0)]


def write_array(material: Material) -> None:
    manifest, side = material.manifest, CONFIG.resolution
    reader = MappedReader(material.store, manifest)
    shape = (sum(record.frames for record in manifest.good), side, side, 3)
    array = np.lib.format.open_memmap(material.array, "w+", np.uint8, shape)
    row = 0
    for record in manifest.good:
        for first in range(0, record.frames, SEGMENT_FRAMES):
            length = min(SEGMENT_FRAMES, record.frames - first)
            array[row : row + length] = reader.read_batch([Clip(record.name, first, 1, length)])[0]
            row += length
    array.flush()
