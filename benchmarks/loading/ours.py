"""Our readers of a prepared store, as a trial's process uses them."""

from collections.abc import Iterator

from torch import Tensor

from loading.material import CONFIG, SEED, Material
from raysweep.cluster.footage import Footage, in_files, in_shared_memory
from raysweep.data import DataConfig
from raysweep.data.reading.batches import Batches

RANDOM_START = CONFIG.model_copy(update={"random_start": True})


def shared_memory(config: DataConfig, material: Material) -> Iterator[Tensor]:
    """Through Ray Data, which holds the store in the object store; Ray is connected."""
    return _batches(in_shared_memory(material.store), config)


def memory_map(config: DataConfig, material: Material) -> Iterator[Tensor]:
    """The store's files, mapped."""
    return _batches(in_files(material.store), config)


def _batches(footage: Footage, config: DataConfig) -> Iterator[Tensor]:
    return Batches(footage.reader(), footage.manifest, config, seed=SEED).train(0)
