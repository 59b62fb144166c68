"""What a file is for, where a folder's name or a list's word says it."""

from collections.abc import Mapping
from typing import Literal

Split = Literal["train", "valid", "test"]

SPLIT_FOLDERS: Mapping[str, Split] = {
    "train": "train",
    "valid": "valid",
    "vaild": "valid",  # as the earlier system's settings spell it
    "val": "valid",
    "test": "test",
}
"""First folder below the root -> what its footage is for."""

SPLIT_WORDS: Mapping[str, Split] = {**SPLIT_FOLDERS, "validation": "valid"}
"""Word in a list's column `split` -> what the file is for."""


def folder_split(name: str) -> Split | None:
    """By the first folder of a name; None where that says nothing."""
    folder, slash, _ = name.partition("/")
    return SPLIT_FOLDERS.get(folder) if slash else None
