"""The event log on an object store: `events/000001.jsonl`, `000002.jsonl`, ..., each written once."""

from pathlib import Path

from raysweep.data.storing.shards import whole_file
from raysweep.experiment.bucket import Bucket
from raysweep.experiment.events import whole_lines
from raysweep.full_disk import told_when_full

DIGITS = 6


class Segments:
    """`log`: the mirror's event log; its segments lie beside it."""

    def __init__(self, bucket: Bucket, log: Path) -> None:
        self._bucket, self._log = bucket, log
        self._last = 0
        """The number of the last one that is known of."""

    def pull(self) -> None:
        """Makes the log anew from the segments; those that are here already are not fetched again."""
        held = self._bucket.held(self._log.parent.name)
        here = {name: self._log.parent / Path(name).name for name in sorted(held)}
        self._bucket.download(
            {
                name: file
                for name, file in here.items()
                if not file.exists() or file.stat().st_size != held[name].size
            }
        )
        self._last = max((int(file.stem) for file in here.values()), default=0)
        lines = [line for file in here.values() for line in whole_lines(file)]
        with told_when_full(self._log), whole_file(self._log) as part:
            part.write_bytes(b"".join(lines))

    def push(self, lines: bytes) -> None:
        """One more; returns once it is there."""
        name = f"{self._log.parent.name}/{self._last + 1:0{DIGITS}d}.jsonl"
        self._bucket.write(name, lines)
        self._last += 1
