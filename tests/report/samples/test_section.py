"""What the part of the page with pictures says: whole HTML, text escaped, all there is told."""

import json
import re
from html.parser import HTMLParser

import pytest

from raysweep.report.samples_section import samples_section
from tests.report.samples.pictured import TWO_LEVELS, chosen, pictured, train

NASTY = "</script><img src=x onerror=alert(1)> & \"quoted\" 'too'"
EMPTY = {"img", "input", "path", "rect", "circle", "br"}
"""Elements without content, and those of SVG that close themselves."""


class Outline(HTMLParser):
    """Fails on an element that is closed by another one, or never; gathers the rest."""

    def __init__(self, body: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text, self.ids, self.images, self.data = "", [], [], []
        self.feed(str(body))
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        assert not [name for name in named if name.startswith("on")]
        self.ids += [named["id"]] if "id" in named else []
        self.images += [named.get("src", "")] if tag == "img" else []
        self.open += [] if tag in EMPTY else [tag]

    def handle_startendtag(self, tag, attributes):
        assert tag in EMPTY

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.data.append(json.loads(data))
        else:
            self.text += data


@pytest.fixture
def found(footage, experiment):
    train(experiment, "0000")
    train(experiment, "0001", TWO_LEVELS)
    low = {step: {f"val/code_usage/level{at}": 0.04 for at in range(2)} for step in (10, 20, 30)}
    trials = [
        chosen(experiment, "0000", footage, NASTY),
        chosen(experiment, "0001", footage, reports=low),
        chosen(experiment, "0009", footage, f"late {NASTY}"),
    ]
    return pictured(trials)[0]


def test_it_is_whole_html_and_what_came_from_outside_is_text(found):
    section = samples_section(found)
    page = Outline(section.body)
    assert NASTY in page.text
    assert f"late {NASTY}" in page.text
    assert page.data[0]["trials"][0]["label"] == NASTY
    assert len(set(page.ids)) == len(page.ids)
    assert all(src == "" or src.startswith("data:image/webp;base64,") for src in page.images)
    assert section.body.count("alert(1)") == section.body.count("&lt;img") + section.body.count(
        "\\u003cimg"
    )


def test_it_asks_nobody_for_anything(found):
    section = samples_section(found)
    everything = section.body + section.style + section.script
    assert not re.findall(r"https?:|['\"(]//|url\(|@import|fetch\(|XMLHttp", everything)


def test_its_style_is_its_own(found):
    rules = re.sub(r"@media[^{]*\{", "", samples_section(found).style)
    for selectors in re.findall(r"([^{}]+)\{[^{}]*\}", rules):
        assert all(one.strip().startswith("#samples ") for one in selectors.split(",\n"))


def test_each_trial_has_its_codes_level_by_level_with_a_collapse_marked(found):
    body = samples_section(found).body
    one, two = body.split('class="codes"')[1:]
    assert 'id="samples-codes-0000"' in one
    assert 'id="samples-codes-0001"' in two
    assert (one.count('class="map"'), two.count('class="map"')) == (1, 2)
    assert "No collapse" in one
    assert "Collapsed" not in one
    assert two.count("Collapsed at steps 10 to 30") == 2
    assert 2 <= one.count("Where code") <= 16
    assert "32 codes, one for 4 &times; 4 pixels" in one


def test_a_trial_without_pictures_is_named_with_the_reason(found):
    page = Outline(samples_section(found).body)
    assert "no checkpoint kept for val/psnr" in page.text


def test_without_any_picture_it_still_says_why(found):
    page = Outline(samples_section(found._replace(of=[])).body)
    assert "no checkpoint kept for val/psnr" in page.text


def test_of_no_trial_at_all_it_says_that(found):
    page = Outline(samples_section(found._replace(of=[], absent=[])).body)
    assert page.text.strip() == "No trial is shown by pictures yet."


def test_what_does_not_fit_is_left_out_and_the_page_says_so(found):
    whole = samples_section(found)
    assert "left out" not in whole.body
    fewer = samples_section(found, most_bytes=8_000)
    assert re.search(r"\d more stills or clips were left out", fewer.body)
    assert len(fewer.body) < len(whole.body)


@pytest.mark.parametrize(
    ("side", "zoom"), [(16, 8), (32, 7), (64, 4), (128, 2), (199, 2), (200, 1), (512, 1)]
)
def test_small_frames_are_shown_enlarged_by_a_whole_factor(found, side, zoom):
    (gallery,) = found.of
    body = samples_section(found._replace(of=[gallery._replace(side=side)])).body
    assert f'<option value="{zoom}" selected>' in body
