"""What a person may have meant by a name that nobody knows."""

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is spelt most like `name`; None: none is, by more than half."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)), None)
