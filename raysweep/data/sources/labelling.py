"""Which of the files found train, validate or test, where folders, lists or settings say so."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from raysweep.data.sources.labels import SPLIT_FOLDERS, Split, folder_split
from raysweep.data.sources.listing import Entry, Named
from raysweep.data.sources.places import Paths, shown
from raysweep.errors import DataError

Labelled = list[tuple[Named, Split | None]]
NEEDED: set[Split] = {"train", "valid"}
"""Without both there is no split; `test` may be absent."""


def by_folder(files: Sequence[Named], split: str, source: Paths) -> Labelled:
    """By a list's word, or by the first folder; any `split` but these two takes all files."""
    everything: Labelled = [(file, None) for file in files]
    if split not in ("auto", "folders"):
        return everything
    told = [(file, file.found.split or folder_split(file.name)) for file in files]
    of_splits = [(file, label) for file, label in told if label is not None]
    if {label for _, label in of_splits} >= NEEDED:
        return [*of_splits]
    _refuse_half_a_list(of_splits)
    if split == "folders":
        raise DataError(
            "data.split 'folders' needs videos or images in a folder train and in one of valid, vaild, "
            f"val, got none such below {shown(source)}.{_deeper(files)} Make the folders or set data.split "
            "to auto."
        )
    return everything


def by_setting(files: Sequence[Named], train: Sequence[Entry], valid: Sequence[Entry]) -> Labelled:
    """What data.source names trains, what data.validation_source names validates."""
    trains, validates = ({f.whole for e in entries for f in e.files} for entries in (train, valid))
    for file in files:
        if file.found.whole in trains & validates:
            raise DataError(
                f"a file trains or validates, {file.found.shown} is in data.source and in "
                "data.validation_source. Take it out of one, or leave data.validation_source out."
            )
    return [(file, "valid" if file.found.whole in validates else "train") for file in files]


def once(labelled: Labelled) -> Labelled:
    """Of a file with several names, by links, the first; DataError where they serve different splits."""
    kept: dict[tuple[int, int] | str, tuple[Named, Split | None]] = {}
    for file, label in labelled:
        first, its_label = kept.setdefault(file.found.inode or file.found.whole, (file, label))
        if its_label != label:
            raise DataError(
                f"a file serves one split, {first.name!r} ({its_label}) and {file.name!r} ({label}) are the "
                "same file. Remove one of the links."
            )
    return list(kept.values())


def _refuse_half_a_list(of_splits: Sequence[tuple[Named, Split]]) -> None:
    """A folder called `train` alone may mean nothing; a list's column `split` does."""
    if any(file.found.split for file, _ in of_splits):
        raise DataError(
            "a list that says what is for what needs files to train and files to validate on, got "
            f"{' and '.join(sorted({label for _, label in of_splits}))} alone. Add rows, or set data.split to "
            "source, time or none."
        )


def _deeper(files: Sequence[Named]) -> str:
    """Where the folders of a split lie further down."""
    found: dict[str, set[Split]] = {}
    for file in files:
        *above, _ = PurePosixPath(file.name).parts
        for depth in range(1, len(above)):
            if label := SPLIT_FOLDERS.get(above[depth]):
                found.setdefault("/".join(above[:depth]), set()).add(label)
    both = sorted(folder for folder, labels in found.items() if labels >= NEEDED)
    return f" There are some in {both[0]}: name that folder." if both else ""
