"""How sources share out into shards, the same way in every run: each is one Parquet file, and made or not made."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from raysweep.data.sources.discover import Source

SHARDS = 64
"""That footage is shared out into, about: work for as many processes."""
LEAST_BYTES, MOST_BYTES = 2**20, 2**27
"""Of footage in a shard, but for what one source has more: a kill loses some minutes of work, and files are not many."""
FOLDER, SUFFIX = "codes", ".parquet"


class Shard(NamedTuple):
    """Sources whose codes lie in one file."""

    name: str
    """File name in `codes/`, in the order of the sources."""
    sources: tuple[Source, ...]

    @property
    def bytes(self) -> int:
        return sum(source.size for source in self.sources)


def shards(sources: Sequence[Source]) -> list[Shard]:
    """Neighbours lie together."""
    groups = list(_groups(sources))
    width = max(5, len(str(len(groups))))
    return [
        Shard(f"{number:0{width}}-of-{len(groups):0{width}}{SUFFIX}", tuple(group))
        for number, group in enumerate(groups)
    ]


def _groups(sources: Sequence[Source]) -> Iterator[list[Source]]:
    share = sum(source.size for source in sources) / SHARDS
    room = min(max(share, LEAST_BYTES), MOST_BYTES)
    group: list[Source] = []
    size = 0
    for source in sources:
        if group and size + source.size > room:
            yield group
            group, size = [], 0
        group.append(source)
        size += source.size
    if group:
        yield group
