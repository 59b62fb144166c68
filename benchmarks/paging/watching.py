"""A browser without a window, which tells when charts of plotly.js have been painted."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.wait import WebDriverWait

PATIENCE_SECONDS = 300
EVERY_SECONDS = 0.02
PAINTED = """
const done = arguments[arguments.length - 1], wanted = arguments[0];
const charts = [...document.querySelectorAll(".js-plotly-plot")].filter(it => it.querySelector(".main-svg"));
const whole = document.body.dataset.drawn !== undefined || !document.querySelector("figure.chart");
if (charts.length < wanted || !whole) done(false);
else requestAnimationFrame(() => requestAnimationFrame(() => done(true)));
"""


class Watch:
    def __init__(self, chrome: webdriver.Chrome) -> None:
        self._chrome = chrome

    def seconds(self, page: Path, charts: int) -> float:
        """From asking for the file until so many charts are painted."""
        self._chrome.get("about:blank")
        start = time.perf_counter()
        self._chrome.get(page.as_uri())
        wait = WebDriverWait(self._chrome, PATIENCE_SECONDS, EVERY_SECONDS)
        wait.until(lambda chrome: chrome.execute_async_script(PAINTED, charts))
        return time.perf_counter() - start


@contextmanager
def watching() -> Iterator[Watch]:
    """Needs Debian's chromium and chromium-driver."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    words = ["--headless=new", "--disable-dev-shm-usage", "--enable-unsafe-swiftshader"]
    words += ["--window-size=1440,900", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    for word in words:
        options.add_argument(word)
    chrome = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
    chrome.set_script_timeout(PATIENCE_SECONDS)
    try:
        yield Watch(chrome)
    finally:
        chrome.quit()
