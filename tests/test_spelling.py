"""A slip of the fingers finds the name it meant, and nonsense finds none."""

import pytest

from raysweep.spelling import nearest

KNOWN = ("disc_start", "disc_weight", "pixel")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("disc_strt", "disc_start"), ("weight", "disc_weight"), ("pxiel", "pixel"), ("", None)],
)
def test_the_nearest_is_found_where_one_is_near(written, meant) -> None:
    assert nearest(written, KNOWN) == meant


def test_nothing_is_near_where_nothing_is_known() -> None:
    assert nearest("pixel", ()) is None
