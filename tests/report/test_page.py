"""The page's text: it needs nothing beside it, and nothing that a trial says becomes part of it."""

import json
import re
from html.parser import HTMLParser
from shlex import split

import pytest

from raysweep.commands.compare import _page
from raysweep.report.page import page, sections
from raysweep.report.section import Section
from raysweep.report.trials import _beside
from raysweep.report.wording import NOTHING, told
from tests.report.sweeps import NASTY, append, compared, hostile, swept

ATTRIBUTES_THAT_FETCH = {"src", "srcset", "data", "poster", "action", "formaction"}


class Parts(HTMLParser):
    """Tags with their attributes, and the text of each."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.texts.append("")

    def handle_data(self, data):
        if self.texts:
            self.texts[-1] += data

    def of(self, wanted: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == wanted]


@pytest.fixture(scope="module")
def parts(comparison) -> Parts:
    return Parts(_page(comparison))


def test_it_names_nothing_that_lies_elsewhere(parts):
    assert not [tag for tag, its in parts.tags if ATTRIBUTES_THAT_FETCH & its.keys()]
    assert {its["href"] for its in parts.of("link")} == {"data:,"}
    assert all((its["href"] or "").startswith("#") for its in parts.of("a"))
    policy = next(its["content"] for its in parts.of("meta") if "http-equiv" in its)
    assert "default-src 'none'" in (policy or "")
    assert "connect-src 'none'" in (policy or "")
    assert "script-src 'sha256-" in (policy or "")


def test_plotly_is_in_it_once(comparison):
    assert _page(comparison).count("plotly.js v") == 1


def test_every_link_leads_somewhere_and_every_id_is_one(parts):
    ids = [its["id"] for _, its in parts.tags if "id" in its]
    assert len(ids) == len(set(ids))
    assert {(its["href"] or "").removeprefix("#") for its in parts.of("a")} <= set(ids)


def test_nothing_that_a_trial_says_becomes_a_tag(comparison, tmp_path):
    """Neither in the page nor in the JSON within it."""
    kinds = {tag for tag, _ in Parts(_page(comparison)).tags}
    found = Parts(_page(compared(hostile(tmp_path))))
    assert {tag for tag, _ in found.tags} <= kinds | {"output"}
    blocks = zip(found.tags, found.texts, strict=True)
    data = [text for (tag, its), text in blocks if its.get("type") == "application/json"]
    assert any(
        NASTY in json.dumps(json.loads(text), ensure_ascii=False).replace('\\"', '"')
        for text in data
    )
    assert len([1 for tag, its in found.tags if tag == "script" and "type" not in its]) == 2


def test_a_trial_tells_how_it_ended_and_how_to_repeat_it(tmp_path):
    experiment = hostile(tmp_path)
    found = _page(compared(experiment))
    for entry in compared(experiment).entries:
        if entry.record.state == "failed" and entry.record.trial != "0024":
            assert f"Failed: {entry.record.reason}" in found
    texts = Parts(found).texts
    (command,) = [text for text in texts if text.strip().endswith("--trial 0024")]
    assert split(command) == [
        "raysweep",
        "train",
        "--from",
        str(experiment.folder),
        "--trial",
        "0024",
    ]


NEARLY = [
    ({"a": 0.12345}, {"a": 0.12345}, ("0.1235", "0.1235", False)),
    ({"a": 0.12345}, {"a": 0.12346}, ("0.12345", "0.12346", True)),
    ({"a": 0.1}, {"a": 0.2}, ("0.1", "0.2", True)),
    ({"a": None}, {}, ("null", NOTHING, True)),
    ({}, {}, (NOTHING, NOTHING, False)),
]


@pytest.mark.parametrize(("here", "best", "wanted"), NEARLY)
def test_a_setting_beside_the_best_trial_s_is_the_same_where_its_value_is(here, best, wanted):
    assert _beside("a", "a", here, best, told)[1:] == wanted


def test_a_trial_of_a_driver_that_died_is_interrupted(tmp_path):
    experiment = swept(tmp_path / "one", trials=2, validations=2)
    known = {"trial": "0002", "time": 2e9, "params": {}, "settings": {}, "origin": "space"}
    append(experiment, {**known, "kind": "proposed"}, {**known, "kind": "started"})
    text = _page(compared(experiment))
    assert '<tr class="trial" data-state="interrupted">' in text
    assert '<span class="badge interrupted">interrupted</span>' in text
    assert "1 interrupted" in text
    assert 'data-value="running"' not in text


def test_a_section_of_somebody_else_is_put_in_with_its_style_and_its_script(comparison):
    own = Section(
        "pictures", "Pictures & more", "<p id='here'>it</p>", "#pictures{color:red}", "const a = 1"
    )
    text = page(["first"], [*sections(comparison), own])
    assert '<section id="pictures" aria-labelledby="pictures-title">' in text
    assert "Pictures &amp; more</h2>" in text
    assert "<p id='here'>it</p>" in text
    assert "#pictures{color:red}</style>" in text
    assert "(() => {\nconst a = 1\n})();" in text


def test_experiments_that_do_not_compare_are_told_of_at_once(tmp_path):
    one, two = (swept(tmp_path / name, trials=3, validations=2) for name in ("one", "two"))
    assert "do not compare" not in _page(compared(one, two))
    two.validation_file.unlink()
    text = _page(compared(one, two))
    assert "Scores of these experiments do not compare." in text
    assert "may have validated on different frames" in text


def test_a_trial_that_has_only_begun_and_one_whose_settings_are_wrong(tmp_path):
    experiment = swept(tmp_path / "one", trials=1, validations=1)
    known = {"trial": "0001", "time": 2e9, "params": {}, "origin": "enqueued"}
    append(experiment, {**known, "kind": "proposed", "settings": {"training.stpes": 3}})
    append(experiment, {**known, "kind": "ended", "state": "failed", "reason": "unknown setting"})
    append(experiment, {**known, "trial": "0002", "kind": "proposed", "settings": {"seed": 3}})
    text = _page(compared(experiment))
    assert re.search(r'data-value="0002">.*?data-value="proposed"', text, re.DOTALL)
    assert "training.stpes" in text
