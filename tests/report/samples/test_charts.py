"""Drawings of how codes are used."""

import re

import pytest

from raysweep.report.samples.charts import (
    BARS,
    HEIGHT,
    WIDTH,
    course,
    histogram,
    perplexity,
    usage_of,
)


def heights(path: str) -> list[float]:
    return [HEIGHT - float(y) for y in re.findall(r"V([\d.]+)H", path)]


@pytest.mark.parametrize("codes", [1, 2, 7, BARS, 500, 16384])
def test_a_histogram_falls_from_the_most_used_code_to_the_unused(codes):
    used = max(1, codes // 2)
    drawn = histogram(range(used, 0, -1), codes)
    bars = heights(drawn.path)
    assert len(bars) == min(BARS, codes)
    assert bars == sorted(bars, reverse=True)
    assert bars[0] == pytest.approx(HEIGHT, abs=0.1)
    assert drawn.used_width == pytest.approx(WIDTH * used / codes)
    assert (bars[-1] == 0) == (used < codes)


@pytest.mark.parametrize(
    ("counts", "codes"), [([5] * 8, 8), ([9], 1), ([3, 3], 2), ([1, 1, 2], 2**1.5)]
)
def test_perplexity_is_the_number_of_codes_that_would_do(counts, codes):
    assert perplexity(counts) == pytest.approx(codes)


@pytest.mark.parametrize(
    ("usage", "collapsed"),
    [
        ([0.5, 0.4, 0.3], []),
        ([0.5, 0.05, 0.05], []),
        ([0.5, 0.05, 0.05, 0.02], [(2, 4)]),
        ([0.05] * 4 + [0.2] + [0.0] * 3, [(1, 4), (6, 8)]),
        ([0.05, 0.1, 0.05, 0.1], []),
        ([], []),
    ],
)
def test_a_collapse_is_several_validations_in_a_row_below_the_bound(usage, collapsed):
    drawn = course(dict(enumerate(usage, 1)), bound=0.1, validations=3)
    assert drawn.collapsed == collapsed
    assert [point.is_low for point in drawn.points] == [share < 0.1 for share in usage]
    assert all(0 <= point.x <= WIDTH and 0 <= point.y <= HEIGHT for point in drawn.points)
    assert drawn.bound_y == pytest.approx(0.9 * HEIGHT)


def test_of_many_validations_only_those_below_the_bound_are_dots():
    drawn = course({step: 0.05 if step == 150 else 0.5 for step in range(200)}, 0.1, 3)
    assert [point.is_low for point in drawn.points] == [True]
    assert drawn.path.count("L") == 199


def test_usage_is_the_maps_own_where_there_are_several():
    reports = {
        20: {"val/code_usage": 0.3, "val/code_usage/level0": 0.2, "val/code_usage/level1": 0.8},
        10: {"val/psnr": 20.0},
        5: {"val/code_usage": 0.1, "val/code_usage/level0": 0.1, "val/code_usage/level1": 0.4},
    }
    assert list(usage_of(reports, 0, maps=1).items()) == [(5, 0.1), (20, 0.3)]
    assert list(usage_of(reports, 1, maps=2).items()) == [(5, 0.4), (20, 0.8)]
