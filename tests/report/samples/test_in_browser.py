"""The part of the page with pictures in a real browser: by mouse, by keyboard, and pixel by pixel."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.interaction import POINTER_TOUCH
from selenium.webdriver.common.actions.pointer_input import PointerInput

from raysweep.experiment.layout import Experiment
from raysweep.report.samples.gallery import Gallery
from raysweep.report.samples.shots import Amount
from raysweep.report.samples_section import GAIN, samples_section
from tests.report.browser import LAPTOP, PHONE, Browser, browsing
from tests.report.samples.pictured import SIDE, TWO_LEVELS, chosen, pictured, train
from tests.report.samples.test_making import pixels_of

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><style>{style}</style>
<body data-drawn><section id="samples">{body}</section><script>(() => {{{script}}})();</script></body></html>"""


@pytest.fixture(scope="module")
def browser():
    with browsing() as opened:
        yield opened


@pytest.fixture(scope="module")
def made(footage, tmp_path_factory: pytest.TempPathFactory) -> tuple[Gallery, str]:
    """Two trials, and the address of a page that shows them alone."""
    folder = tmp_path_factory.mktemp("shown")
    experiment, page = Experiment(folder / "experiment"), folder / "page.html"
    train(experiment, "0000")
    train(experiment, "0001", TWO_LEVELS)
    trials = [chosen(experiment, trial, footage) for trial in ("0000", "0001")]
    found, _ = pictured(trials, Amount(stills=2, clips=1, clip_frames=6))
    page.write_text(PAGE.format(**samples_section(found)._asdict()), encoding="utf-8")
    return found.of[0], page.as_uri()


@pytest.fixture
def shown(browser: Browser, made: tuple[Gallery, str]) -> Iterator[Gallery]:
    """Opened anew; it complains of nothing and asks nobody."""
    gallery, address = made
    browser.complaints(), browser.requests()
    browser.open(address)
    yield gallery
    assert browser.complaints() == []
    assert [url for url in browser.requests() if not url.startswith(("data:", "file:"))] == []


def wiped(browser: Browser) -> float:
    """Percent, as it is drawn."""
    return float(
        browser.run(
            "return getComputedStyle(document.querySelector('.gallery')).getPropertyValue('--wipe')"
        )
    )


def choose(browser: Browser, group: str, number: int) -> None:
    browser.run(
        "document.querySelectorAll(arguments[0])[arguments[1]].click()", f".{group} input", number
    )


def select(browser: Browser, name: str, value: str) -> None:
    script = "const it = document.querySelector(arguments[0]); it.value = arguments[1]; it.dispatchEvent(new Event('change'))"
    browser.run(script, f"select.{name}", value)


def seen(browser: Browser, number: int) -> np.ndarray:
    """Pixels of a trial's picture, as they are on the screen."""
    drawn = browser.run(
        "return Promise.all([...document.images].filter((it) => it.src).map((it) => it.decode())).then(() => 1)"
    )
    assert drawn
    png = browser.all(".given .frame")[number].screenshot_as_png
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].astype(int)


def test_pictures_are_on_the_screen_as_they_were_made_enlarged_by_a_whole_factor(browser, shown):
    select(browser, "zoom", "3")
    for number, trial in enumerate(shown.trials):
        picture = seen(browser, number)
        assert picture.shape == (3 * SIDE, 3 * SIDE, 3)
        wanted_HWC = pixels_of(trial.sample.pictures[0])[0]
        assert np.array_equal(picture, wanted_HWC.repeat(3, 0).repeat(3, 1))


def test_the_difference_is_amplified_by_what_it_says(browser, shown):
    select(browser, "zoom", "2")
    choose(browser, "views", 1)
    for gain in (GAIN, 16, 1):
        select(browser, "gain", str(gain))
        original, given = (
            pixels_of(of.pictures[0])[0].astype(int)
            for of in (shown.originals, shown.trials[1].sample)
        )
        wanted_HWC = np.minimum(255, gain * np.abs(given - original)).repeat(2, 0).repeat(2, 1)
        assert np.abs(seen(browser, 1) - wanted_HWC).max() <= gain / 2 + 1
    select(browser, "against", "1")
    assert seen(browser, 1).max() == 0


def test_the_wipe_moves_by_mouse_and_shows_what_it_is_against(browser, shown):
    frame = browser.all(".given .frame")[0]
    width = frame.size["width"]
    mouse = ActionChains(browser.chrome)
    mouse.move_to_element(frame).click_and_hold().move_by_offset(width // 4, 0).release().perform()
    assert wiped(browser) == pytest.approx(75, abs=1)
    zoom = width // SIDE
    picture, middle = seen(browser, 1), (width // 2) // zoom
    original = pixels_of(shown.originals.pictures[0])[0]
    assert np.array_equal(picture[::zoom, ::zoom][:, :middle], original[:, :middle])
    mouse.move_by_offset(5, 5).perform()
    assert wiped(browser) == pytest.approx(75, abs=1)  # the button is up


def test_the_wipe_moves_by_touch(browser, shown):
    finger = ActionBuilder(browser.chrome, PointerInput(POINTER_TOUCH, "finger"))
    frame = browser.all(".given .frame")[0]
    browser.run("arguments[0].scrollIntoView()", frame)
    touch = finger.pointer_action
    touch.move_to(frame).pointer_down().move_to(frame, frame.size["width"] // 4).pointer_up()
    finger.perform()
    assert wiped(browser) == pytest.approx(75, abs=1)


def test_the_wipe_moves_by_keyboard_and_says_where_it_is(browser, shown):
    wipe = browser.one(".wipe")
    assert wipe.accessible_name == "wipe"
    wipe.send_keys(*[Keys.ARROW_RIGHT] * 3)
    assert wiped(browser) == 3
    wipe.send_keys(Keys.END)
    assert wiped(browser) == 100
    assert wipe.get_attribute("aria-valuetext") == "100% of the original"
    wipe.send_keys(Keys.HOME)
    assert wiped(browser) == 0


def test_frames_are_chosen_by_keyboard(browser, shown):
    first = browser.all(".shots input")[0]
    assert first.accessible_name.startswith("still: ")
    first.send_keys(Keys.ARROW_RIGHT)
    assert "frame" in browser.one(".told").text
    picture = seen(browser, 0)
    zoom = len(picture) // SIDE
    wanted_HWC = pixels_of(shown.trials[0].sample.pictures[1])[0]
    assert np.array_equal(picture[::zoom, ::zoom], wanted_HWC)
    assert browser.all(".psnr")[0].text == f"{shown.trials[0].sample.psnr[1][0]:.2f} dB"


def test_a_clip_plays_in_step_stops_and_goes_to_a_frame(browser, shown):
    choose(browser, "shots", 2)
    browser.wait("return document.querySelector('.at').value > 2")
    assert all("mean" in text for text in browser.texts(".psnr"))
    browser.one(".play").click()
    at = browser.one(".at")
    at.send_keys(Keys.HOME, Keys.ARROW_RIGHT)
    for number, trial in enumerate(shown.trials):
        picture = seen(browser, number)
        zoom = len(picture) // SIDE
        wanted_HWC = pixels_of(trial.sample.pictures[2], 6)[1]
        assert np.array_equal(picture[::zoom, ::zoom], wanted_HWC)
        assert browser.all(".psnr")[number].text == f"{trial.sample.psnr[2][1]:.2f} dB"
    choose(browser, "shots", 0)
    assert not browser.one(".player").is_displayed()


def test_nothing_moves_by_itself_for_those_who_asked_for_that(browser, shown):
    calm = {"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]}
    browser.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", calm)
    try:
        choose(browser, "shots", 2)
        assert browser.one(".play").text == "Play"
        browser.one(".play").click()
        browser.wait("return document.querySelector('.at').value > 2")
    finally:
        browser.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_code_maps_are_of_the_chosen_level_and_a_trial_without_it_shows_none(browser, shown):
    choose(browser, "views", 3)  # level 1
    first, second = browser.all(".given .result")
    assert not first.get_attribute("src")
    assert second.get_attribute("src").endswith(shown.trials[1].sample.maps[1].pictures[0])


def test_a_trials_codes_open_by_keyboard_and_by_a_link(browser, shown):
    drawn = "return document.querySelectorAll('#samples-codes-0001 .row img').length"
    assert browser.run(drawn) == 0
    browser.run("location.hash = '#samples-codes-0001'")
    browser.wait(drawn)
    assert browser.run(drawn) == 2 * 2  # stills, on two levels
    summary = browser.one("#samples-codes-0001 summary")
    summary.send_keys(Keys.ENTER)
    assert not browser.one("#samples-codes-0001 .row").is_displayed()


@pytest.mark.parametrize("size", [LAPTOP, PHONE])
def test_nothing_is_wider_than_the_screen(browser, made, shown, size):
    browser.open(made[1], size)
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
