"""How the sources of a prepare are handed out: in parcels, each the work of one task."""

from collections.abc import Iterable

from raysweep.data.sources.discover import Source

PARCELS_PER_CPU = 8
"""At least, where there are as many sources: enough that all CPUs end at about the same time."""
PARCEL_BYTES = 32 * 2**20
"""Of files in a parcel, unless one is larger or there are very many: some ten seconds of decoding, after
which a person sees how far things are."""
PARCELS = 4096
"""In all, where sources are not larger than the parcels: what Ray Data plans without delay."""


def parcels(sources: Iterable[Source], cpus: int) -> list[list[Source]]:
    """All sources, in parcels of about one size, the largest first: the last one that runs is small."""
    sized = sorted(((source.size, source) for source in sources), key=_largest_first)
    whole = sum(size for size, _ in sized)
    most = max(min(PARCEL_BYTES, whole / (PARCELS_PER_CPU * cpus)), whole / PARCELS)
    packed: list[list[Source]] = []
    room = 0.0
    for size, source in sized:
        if not packed or size > room:
            packed.append([])
            room = most
        packed[-1].append(source)
        room -= size
    return packed


def _largest_first(sized: tuple[int, Source]) -> tuple[int, str]:
    size, source = sized
    return -size, source.name
