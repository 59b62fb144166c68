"""The contact sheet of a store, as a file to look at."""

import os
from pathlib import Path

from raysweep.commands.console import say
from raysweep.data import DataConfig
from raysweep.data.preview.contact_sheet import contact_sheet
from raysweep.data.preview.preview import preview
from raysweep.data.reading.reader import MappedReader
from raysweep.data.storing.manifest import read_manifest
from raysweep.errors import ConfigError
from raysweep.tracking.pictures import save_png

IN_STORE = ""
"""As the file's name: `preview.png` in the store."""


def check_preview(file: str) -> None:
    """ConfigError unless `file` can be a picture."""
    picture = Path(file)
    if file == IN_STORE:
        return
    if picture.suffix.lower() != ".png" or picture.is_dir():
        raise ConfigError(f"--preview writes a .png file, got {file}. Name one, or leave it out.")
    if not os.access(picture.absolute().parent, os.W_OK):
        raise ConfigError(
            f"--preview needs a folder that can be written to, got {file}. Name another file, or leave it out."
        )


def write_preview(store: Path, data: DataConfig, seed: int, file: str) -> None:
    manifest = read_manifest(store)
    reader = MappedReader(store, manifest)
    picture = Path(file) if file != IN_STORE else store / "preview.png"
    sheet = contact_sheet(preview(manifest, reader, data, seed))
    try:
        save_png(sheet, picture)
    except OSError as error:
        raise ConfigError(f"--preview cannot write {picture}: {error.strerror}.") from None
    say(f"what the model will see: {picture}")
