"""Which frames validate, as one number: scores compare where it is the same."""

import json
from collections.abc import Iterable
from hashlib import sha256

from raysweep.data.index.clips import Clip
from raysweep.data.storing.manifest import Manifest


def clips_digest(manifest: Manifest, clips: Iterable[Clip]) -> str:
    """SHA-256 in hex of how the store's frames were made, and of the clips in order, each by its shard."""
    made = manifest.settings.model_dump_json(
        exclude_defaults=True
    )  # a later setting changes nothing
    digest = sha256(made.encode())
    shards = {
        record.name: (record.name, record.source_bytes, record.sha256) for record in manifest.good
    }
    for source, *frames in clips:
        digest.update(json.dumps([*shards[source], *frames]).encode())
    return digest.hexdigest()
