"""Whether one model leads another: against the exact test by hand, and what few sources can say."""

from itertools import product
from statistics import fmean
from types import SimpleNamespace

import pytest

from raysweep.evaluation.scores import Row
from raysweep.evaluation.versus import versus


def scores(values):
    rows = [Row(f"{i}", 1, "8x8", {"psnr": value}) for i, value in enumerate(values)]
    return SimpleNamespace(rows=rows, figures={"psnr": fmean(values), "only_here": 1.0})


@pytest.mark.parametrize(
    "gaps", [(1, 2, 3, 4, 5, 6), (1, -2, 3), (0.5, 0.5), (-3, 1, -2, -4, -5, -1, -2)]
)
def test_p_is_that_of_all_ways_to_swap_the_models(gaps) -> None:
    first = [20.0 + i for i in range(len(gaps))]
    (found,) = versus(
        scores(first),
        SimpleNamespace(
            rows=scores([a + gap for a, gap in zip(first, gaps, strict=True)]).rows,
            figures={"psnr": fmean(first) + fmean(gaps)},
        ),
    )
    means = [
        fmean(s * gap for s, gap in zip(signs, gaps, strict=True))
        for signs in product((1, -1), repeat=len(gaps))
    ]
    high = sum(mean >= fmean(gaps) - 1e-9 for mean in means) / len(means)
    low = sum(mean <= fmean(gaps) + 1e-9 for mean in means) / len(means)
    assert found.p == pytest.approx(min(1.0, 2 * min(high, low)))
    assert found.paired.mean == pytest.approx(fmean(gaps))
    assert found.leads == int(fmean(gaps) > 0)
    assert found.is_never == (len(gaps) < 6)
    assert found.is_noise or found.p <= 0.05


def test_one_source_says_nothing_of_noise() -> None:
    (found,) = versus(
        scores([20.0]), SimpleNamespace(rows=scores([21.0]).rows, figures={"psnr": 21.0})
    )
    assert found.p != found.p
    assert found.is_noise
