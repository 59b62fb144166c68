"""Our readers of a prepared store, as a trial's process uses them."""

from collections.abc import Iterator

from torch import Tensor

from loading.material import CONFIG, SEED, Material
from raysweep.cluster.pipeline import materialise, shard_of
from raysweep.data import DataConfig
from raysweep.data.batches import Batches
from raysweep.data.reader import ClipReader
from raysweep.data.store import read_shards

RANDOM_START = CONFIG.model_copy(update={"random_start": True})


def shared_memory(config: DataConfig, material: Material) -> Iterator[Tensor]:
    """Through Ray Data, which holds the store in the object store; Ray is connected."""
    manifest = material.manifest
    tables = shard_of(materialise(material.store, manifest)).open()
    reader = ClipReader(tables, config.resolution)
    return Batches(reader, manifest, config, seed=SEED).train(0)


def memory_map(config: DataConfig, material: Material) -> Iterator[Tensor]:
    """The store's files, mapped."""
    manifest = material.manifest
    reader = ClipReader(read_shards(material.store, manifest), config.resolution)
    return Batches(reader, manifest, config, seed=SEED).train(0)
