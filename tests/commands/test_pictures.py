"""Which trials a comparison shows by pictures; those of `swept` have no checkpoints, so each is named with the reason."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from raysweep.commands import pictures
from raysweep.commands.compare import _compared


@pytest.fixture
def shown(run, swept, folder: Path) -> Callable[..., list[str]]:
    """Labels, in the order of the page."""

    def compare(*words: str) -> list[str]:
        code, _, error = run("compare", swept.folder, "--html", "page.html", *words)
        assert code == 0, error
        page = (folder / "page.html").read_text()
        return re.findall(r"<strong>No pictures of (.+?):</strong>", page)

    return compare


@pytest.fixture
def ranked(swept) -> list[str]:
    return [entry.label for entry in _compared([swept]).entries if entry.place]


def test_the_best_few_are_shown_best_first(shown, ranked):
    assert len(ranked) == 7
    assert shown() == ranked[:6]
    assert shown("--top", "2") == ranked[:2]
    assert shown("--top", "0") == []


def test_those_that_are_named_come_after_the_best_and_once(shown, ranked):
    first, *_, last = ranked
    assert shown("--top", "1", "--trial", last, "--trial", first) == [first, last]


def test_a_finalist_s_repetitions_are_not_among_the_best(swept, ranked):
    comparison = _compared([swept])
    comparison.entries[1].record.origin = f"confirm {ranked[0]}"
    section = pictures.pictures_section(comparison, pictures.Asked(top=2))
    found = re.findall(r"<strong>No pictures of (.+?):</strong>", section.body)
    assert found == [ranked[0], ranked[2]]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--trial", "0099"], "pictures are of trials that are there, got 0099. Known: 000"),
        (["--top", "-1"], "--top takes a number of trials, got -1. Give 0"),
    ],
)
def test_what_cannot_be_shown_is_refused(run, swept, folder, words, told):
    code, _, error = run("compare", swept.folder, "--html", "page.html", *words)
    assert code == 2
    assert told in error
    assert not (folder / "page.html").exists()


def test_on_a_page_that_follows_the_sweep_trials_that_get_better_wait(swept, ranked):
    comparison = _compared([swept])
    best = comparison.entries[0]
    best.record.state = "running"

    def named_in(asked: pictures.Asked) -> list[str]:
        section = pictures.pictures_section(comparison, asked, only_over=True)
        return re.findall(r"<strong>No pictures of (.+?):</strong>", section.body)

    assert named_in(pictures.Asked(top=2)) == ranked[1:3]
    assert named_in(pictures.Asked([best.label], top=1)) == [ranked[1], best.label]
