"""Where a prepared store's frames lie while trials read them: in Ray's shared memory, or in the files alone."""

from typing import Literal, NamedTuple

from raysweep.errors import DataError
from raysweep.spelling import in_bytes

MODEST_SHARE = 0.3
"""Of a node's shared memory, which also carries what Ray itself sends about: up to here `auto` fills it."""
SPILLING_SHARE = 0.8
"""Of a node's shared memory: from here on Ray moves objects to the disk (its `object_spilling_threshold`)."""


class Choice(NamedTuple):
    """How the frames are read, and a line that says why."""

    place: Literal["shared_memory", "memory_map"]
    told: str


def choose(reading: str, store_bytes: int, shared_bytes: float) -> Choice:
    """`reading` is DataConfig.reading, `shared_bytes` the shared memory of the smallest node.

    DataError where shared memory is asked for and does not hold the store.
    """
    frames, room = f"{in_bytes(store_bytes)} of frames", in_bytes(shared_bytes)
    mapped = f"{frames} mapped from the store's files"
    if reading == "memory_map":
        return Choice("memory_map", f"{mapped}, as data.reading says")
    if reading == "shared_memory" and store_bytes > SPILLING_SHARE * shared_bytes:
        raise DataError(
            f"data.reading shared_memory needs a store of at most {SPILLING_SHARE:.0%} of a node's shared memory, got "
            f"{frames} and {room} on the smallest node. Set data.reading to memory_map or auto."
        )
    if reading == "shared_memory" or store_bytes <= MODEST_SHARE * shared_bytes:
        return Choice("shared_memory", f"{frames} in shared memory, once per node")
    return Choice(
        "memory_map", f"{mapped}: they take more than {MODEST_SHARE:.0%} of {room} of shared memory"
    )
