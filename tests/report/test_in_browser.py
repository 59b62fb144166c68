"""The page in a real browser: it draws, sorts, filters and opens, by mouse and by keyboard, and asks nobody for anything."""

import re
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from selenium.webdriver.common.keys import Keys

from raysweep.commands.compare import _latest, _page
from raysweep.report.contest import Comparison
from raysweep.report.serving import server
from tests.report.browser import LAPTOP, PHONE, Browser, browsing
from tests.report.sweeps import append, compared, hostile, swept

OUTPUT = Path(__file__).parents[2] / "build" / "page"
"""Where pictures of the page are kept, for a person to look at."""
CHARTS = ("curves", "plane", "parallel", "importance", "saving")
PLACES = "#leaderboard-table tbody tr:not([hidden]) td:nth-child(2)"
TRIALS = "#leaderboard-table tbody tr:not([hidden]) th"


AFRESH = """
for (const part of document.querySelectorAll("details")) part.open = false;
document.getElementById("find").value = state.value = "";
filter();
sortBy(1, "ascending");
history.replaceState(null, "", location.pathname);
document.activeElement.blur();
scrollTo(0, 0);
"""


OPEN_AND_CHOOSE_EVERYTHING = """
for (const part of document.querySelectorAll("details")) part.open ||= part.textContent.includes("pwned");
for (const choice of document.querySelectorAll("figure select")) {
  for (const option of choice.options) {
    choice.value = option.value;
    choice.dispatchEvent(new Event("change"));
  }
}
"""
RESTORE_BESIDE_WHAT_IS_NEW = """
const metric = document.querySelector("#chart-curves select");
metric.value = "val/lpips";
const kept = JSON.parse(JSON.stringify(chosen()));
metric.value = "val/psnr";
const section = Object.assign(document.createElement("section"), { id: "new" });
section.innerHTML = "<input type='radio' checked><select><option>a</option></select>";
document.querySelector("main").prepend(section);
restore(kept);
const find = document.getElementById("find");
const found = [section.querySelector("input").checked, find.value, metric.value];
section.remove();
return found;
"""
"""A section appears that was not there when the page was left."""
MARKS = """
const steps = { val: [100, 200, 300, 400] };
const values = { "val/psnr": arguments[0] };
const trial = { key: "0-a", label: "a", state: "stopped", colour: null, gan: arguments[1], steps, values };
return [ganStart, endedAs("stopped"), endedAs("failed")].map((at) => {
  const { x, y } = marks([trial], "val/psnr", "", "", at);
  return x.map((step, place) => [step, y[place]]);
});
"""
MARKED = [
    ([10, 12, 20, 22], 150, [[150, 11]], [[400, 22]]),
    ([10, None, 20, None], 200, [[200, 15]], [[300, 20]]),
    ([None, 12, 20, None], 0, [[200, 12]], [[300, 20]]),
    ([10, None, None, None], 150, [], [[100, 10]]),
    ([None, None, None, None], 150, [], []),
]
"""Of a curve and the GAN's start: where the marks are of its start and of the trial's end."""
SHOW_BUTTONS = """
for (const plot of drawn.keys()) {
  Plotly.react(plot, plot.data, plot.layout, { ...plot._context, displayModeBar: true });
}
"""
COLOURS = """
const colour = (selector, of) => getComputedStyle(document.querySelector(selector))[of];
return [colour("figcaption", "color"), colour("main > section", "backgroundColor")];
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as found:
        yield found


@pytest.fixture(scope="module")
def file(comparison: Comparison, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(_page(comparison), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def page(browser: Browser, file: str) -> Browser:
    """As it is when it has just been opened, which takes seconds."""
    if (browser.url, browser.size) != (file, LAPTOP):
        browser.open(file)
    browser.run(AFRESH)
    return browser


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["1440", "390"])
def test_it_draws_every_chart_without_a_complaint_or_a_request(browser, file, size):
    browser.complaints()
    browser.requests()
    browser.open(file, size)
    marks = "const it = document.querySelector(`#chart-${arguments[0]} .plot`); return [it.querySelectorAll('svg .trace, svg .bars .point, svg .axis-line, svg .y-axis').length, it._fullData?.length ?? 0]"
    for chart in CHARTS:
        assert min(browser.run(marks, chart)) > 0, chart
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
    browser.picture(OUTPUT / f"page-{size[0]}.png")
    assert browser.complaints() == []
    assert browser.requests() == [file]


def test_no_button_sends_a_chart_anywhere(page):
    page.run(SHOW_BUTTONS)
    titles = page.run(
        "return [...document.querySelectorAll('.modebar-btn')].map(it => it.dataset.title)"
    )
    assert titles
    assert not [title for title in titles if re.search("share|cloud|edit", title, re.IGNORECASE)]


def test_a_heading_sorts_by_mouse_and_by_keyboard(page):
    heading = page.one("#leaderboard-table thead th:nth-child(2)")
    button = page.one("#leaderboard-table thead th:nth-child(2) button")
    assert heading.get_attribute("aria-sort") == "ascending"
    best_first = [int(text) for text in page.texts(PLACES) if text]
    assert best_first == sorted(best_first)
    button.click()
    assert heading.get_attribute("aria-sort") == "descending"
    assert [int(text) for text in page.texts(PLACES) if text] == best_first[::-1]
    assert page.texts(TRIALS)[-1] == "mean colour"  # nothing is last, whichever way
    button.send_keys(Keys.ENTER)
    assert [int(text) for text in page.texts(PLACES) if text] == best_first
    by_psnr = page.one("#leaderboard-table thead button[title='val/psnr']")
    by_psnr.send_keys(Keys.SPACE)
    assert page.texts(TRIALS)[0] == "mean colour"  # 14.2 dB, below all trials
    assert [it.get_attribute("aria-sort") for it in page.all("thead th[aria-sort]")].count(
        "none"
    ) > 5


def test_a_reader_finds_trials_by_word_and_state(page, comparison):
    states = [entry.record.state for entry in comparison.entries]
    page.one("#find").send_keys("failed")
    assert page.one("#found").text == f"{states.count('failed')} of {len(states) + 1} rows"
    page.one("#find").clear()
    page.one("#find").send_keys("fsq finished")
    kinds = [entry.settings["model.quantizer.kind"] for entry in comparison.entries]
    both = list(zip(kinds, states, strict=True)).count(("fsq", "finished"))
    assert len(page.texts(TRIALS)) == both
    page.one("#find").clear()
    page.one("#state").send_keys("stopped")
    assert len(page.texts(TRIALS)) == states.count("stopped")


def test_a_link_opens_its_trial_and_draws_its_curves(page, comparison):
    worst = [entry for entry in comparison.entries if entry.place][-1]
    link = page.one(f"#leaderboard-table a[href='#trial-{worst.key}']")
    link.send_keys(Keys.ENTER)
    trial = f"details[id='trial-{worst.key}']"
    page.wait(
        f"return document.querySelector(`{trial}[open] .plot svg .scatterlayer .trace`) !== null"
    )
    assert page.active.tag_name == "summary"
    assert f"--trial {worst.record.trial}" in page.one(f"{trial} code").text
    page.active.send_keys(Keys.ENTER)
    assert not page.all(f"{trial}[open]")
    assert page.complaints() == []


def test_the_first_tab_skips_to_the_content_and_what_has_the_focus_is_seen(page):
    page.run("document.body.tabIndex = -1; document.body.focus()")
    page.one("body").send_keys(Keys.TAB)
    assert page.active.text == "Skip to the content"
    assert page.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    landmarks = [len(page.all(name)) for name in ("header", "nav[aria-label]", "main", "footer")]
    assert landmarks == [1, 1, 1, 1]
    unnamed = "return [...document.querySelectorAll('input, select, button')].filter(it => !(it.labels?.length || it.textContent.trim() || it.ariaLabel || it.dataset.title)).length"
    assert page.run(unnamed) == 0


@pytest.mark.parametrize(("values", "gan", "began", "ended"), MARKED)
def test_marks_stand_on_the_curve_where_it_has_values(page, values, gan, began, ended):
    assert page.run(MARKS, values, gan) == [began, ended, []]


def test_another_metric_is_drawn_when_it_is_chosen(page):
    title = "return document.querySelector('#chart-curves .ytitle').textContent"
    assert page.run(title) == "psnr"
    page.one("#chart-curves select").send_keys("lpips")
    page.wait(f"{title} === 'lpips'".replace("return ", "return (") + ")")


def test_nothing_that_a_trial_says_becomes_part_of_the_page(browser, tmp_path):
    """Neither at once, nor when its charts are drawn, nor when it is opened."""
    comparison = compared(hostile(tmp_path))
    file = tmp_path / "report.html"
    file.write_text(_page(comparison), encoding="utf-8")
    browser.requests()
    browser.open(file.as_uri())
    browser.run(OPEN_AND_CHOOSE_EVERYTHING)
    browser.wait(
        "return document.querySelector('details.trial[open] svg .scatterlayer .trace') !== null"
    )
    assert browser.run("return window.pwned") is None
    assert not browser.all("img, main b, main svg a, main a[href^=http]")
    shown = browser.run("return document.querySelector('main').textContent")
    assert "<img src=x onerror=" in shown
    assert "{{ 7*7 }}" in shown
    assert browser.complaints() == []
    assert {url for url in browser.requests() if not url.startswith("data:")} == {file.as_uri()}


def test_in_the_dark_the_text_stands_out_as_in_the_light(page):
    """WCAG 2.2, 1.4.3."""
    for theme in ("dark", "light"):
        asked = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
        page.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", asked)
        light, dark = sorted(map(_luminance, page.run(COLOURS)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, theme


def test_a_served_page_follows_the_sweep_and_keeps_what_the_reader_chose(browser, tmp_path):
    experiment = swept(tmp_path / "live", trials=4, validations=3)
    with server(_latest([str(experiment.folder)]), "127.0.0.1", 0) as listening:
        Thread(target=listening.serve_forever, daemon=True).start()
        browser.open(f"http://127.0.0.1:{listening.server_port}/")
        assert len(browser.texts(TRIALS)) == 5
        browser.one("#find").send_keys("00")
        browser.one("thead button[title='val/psnr']").click()
        proposed = {"kind": "proposed", "trial": "0004", "time": 2e9, "origin": "enqueued"}
        append(experiment, {**proposed, "params": {}, "settings": {"seed": 7}})
        browser.wait(
            "return document.getElementById('leaderboard-table').tBodies[0].rows.length === 6"
        )
        browser.wait("return document.getElementById('find').value === '00'")
        assert len(browser.texts(TRIALS)) == 5  # all trials, and not the baseline
        assert "given as" in browser.texts("thead button")  # new, and before psnr
        assert browser.texts("thead th[aria-sort=ascending]") == ["psnr"]
        assert browser.run(RESTORE_BESIDE_WHAT_IS_NEW) == [True, "00", "val/lpips"]
        assert browser.complaints() == []
        listening.shutdown()


def _luminance(colour: str) -> float:
    """Relative, of `rgb(r, g, b)`: WCAG 2.2's definition."""
    channels = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [it / 12.92 if it <= 0.04045 else ((it + 0.055) / 1.055) ** 2.4 for it in channels]
    return sum(weight * it for weight, it in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
