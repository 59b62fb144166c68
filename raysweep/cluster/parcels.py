"""How the sources of a prepare are handed out: in parcels, each the work of one task."""

from collections.abc import Iterable

from raysweep.data.sources.discover import Source

SHARES = 2
"""A parcel is at most this part of what each CPU has left: large ones first, since Ray Data takes 0.15 s from
one task to the next, and small ones last, so that all CPUs end at about the same time."""
PARCEL_BYTES = 32 * 2**20
"""Of files in a parcel, unless one is larger or there are very many: some ten seconds of decoding, after
which a person sees how far things are."""
PARCELS = 4096
"""In all, where sources are not larger than the parcels: what Ray Data plans without delay."""


def parcels(sources: Iterable[Source], cpus: int) -> list[list[Source]]:
    """All sources, the largest first, in parcels that shrink towards the end (Polychronopoulos and Kuck 1987,
    "Guided Self-Scheduling")."""
    sized = sorted(((source.size, source) for source in sources), key=_largest_first)
    whole = left = sum(size for size, _ in sized)
    packed: list[list[Source]] = []
    room = 0.0
    for size, source in sized:
        if not packed or size > room:
            packed.append([])
            room = max(min(PARCEL_BYTES, left / (SHARES * cpus)), whole / PARCELS)
        packed[-1].append(source)
        room -= size
        left -= size
    return packed


def _largest_first(sized: tuple[int, Source]) -> tuple[int, str]:
    size, source = sized
    return -size, source.name
