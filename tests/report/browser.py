"""A real browser without a window: Debian's Chromium, and what it asked for and complained of."""

import base64
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

LAPTOP, PHONE = (1440, 900), (390, 844)
"""Pixels, width and height."""
PATIENCE_SECONDS = 120


class Browser:
    def __init__(self, chrome: webdriver.Chrome) -> None:
        self.chrome = chrome
        self.url, self.size = "", LAPTOP

    def open(self, url: str, size: tuple[int, int] = LAPTOP) -> None:
        """Until all charts are drawn."""
        self.url, self.size = url, size
        self._resize(size)
        self.chrome.get(url)
        self.wait("return document.body.dataset.drawn !== undefined")

    def _resize(self, size: tuple[int, int]) -> None:
        width, height = size
        self.chrome.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )

    def run(self, script: str, *arguments: Any) -> Any:
        return self.chrome.execute_script(script, *arguments)

    def wait(self, script: str) -> None:
        """Until what the script returns is true."""
        WebDriverWait(self.chrome, PATIENCE_SECONDS, 0.05).until(lambda _: self.run(script))

    def all(self, selector: str) -> list[WebElement]:
        return self.chrome.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        return self.chrome.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector: str) -> list[str]:
        """Of what is there and shown."""
        return [it.text for it in self.all(selector) if it.is_displayed()]

    @property
    def active(self) -> WebElement:
        return self.chrome.switch_to.active_element

    def picture(self, file: Path) -> None:
        """The whole page, below the window too."""
        file.parent.mkdir(parents=True, exist_ok=True)
        asked = {"captureBeyondViewport": True}
        shot = self.chrome.execute_cdp_cmd("Page.captureScreenshot", asked)
        file.write_bytes(base64.b64decode(shot["data"]))

    def complaints(self) -> list[str]:
        """Errors in the console, since it was asked last."""
        said = self.chrome.get_log("browser")
        return [entry["message"] for entry in said if entry["level"] == "SEVERE"]

    def requests(self) -> list[str]:
        """Addresses that pages asked for, since it was asked last."""
        messages = [
            json.loads(it["message"])["message"] for it in self.chrome.get_log("performance")
        ]
        sent = [it["params"] for it in messages if it["method"] == "Network.requestWillBeSent"]
        return [it["request"]["url"] for it in sent]


@contextmanager
def browsing() -> Iterator[Browser]:
    """Skips the test where there is no browser."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("no browser: install Debian's chromium and chromium-driver (`make browser`)")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for word in ("--headless=new", "--disable-dev-shm-usage", "--enable-unsafe-swiftshader"):
        options.add_argument(word)
    if os.geteuid() == 0:  # Chromium's sandbox is for everybody else
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = webdriver.Chrome(options, Service(driver))
    try:
        yield Browser(chrome)
    finally:
        chrome.quit()
