"""Numbers, settings and metrics, as the page writes them."""

import json
from collections import Counter
from collections.abc import Iterable
from math import isfinite
from typing import Any

NOTHING = "\N{EN DASH}"
"""Stands where there is no value."""


def figure(value: float) -> str:
    """Four digits, or the whole number: `23.46`, `0.0312`, `12,346`."""
    if not isfinite(value):
        return str(value)
    if value == round(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def told(value: Any) -> str:
    """A setting's value: numbers short, text bare, all else as JSON."""
    if isinstance(value, str):
        return value
    return f"{value:.4g}" if isinstance(value, float) else json.dumps(value)


def short(metric: str) -> str:
    """`psnr` of `val/psnr`, `bits/px` of `val/bits_per_pixel`."""
    name = metric.removeprefix("val/")
    return name.replace("bits_per_pixel", "bits/px").replace("_", " ")


def short_names(paths: Iterable[str]) -> dict[str, str]:
    """Each dotted path's last name, or as many of the last ones as tell it apart from the others."""
    names = {path: path.split(".") for path in paths}
    found: dict[str, str] = {}
    length = 1
    while len(found) < len(names):
        ends = {path: ".".join(parts[-length:]) for path, parts in names.items()}
        often = Counter(ends.values())
        found |= {path: end for path, end in ends.items() if path not in found and often[end] == 1}
        length += 1
    return found
