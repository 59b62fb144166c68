"""Numbers, settings and metrics as the page writes them."""

import pytest

from raysweep.report.wording import figure, short, short_names, told

FIGURES = {
    23.4567: "23.46",
    0.03125: "0.03125",
    16384: "16,384",
    12345.6: "12,346",
    0.0: "0",
    float("nan"): "nan",
    2.5e-07: "2.5e-07",
}


@pytest.mark.parametrize(("value", "text"), FIGURES.items())
def test_figure(value, text):
    assert figure(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [("fsq", "fsq"), (0.1 + 0.2, "0.3"), (True, "true"), ([1, 2], "[1, 2]"), (None, "null")],
)
def test_told(value, text):
    assert told(value) == text


def test_short():
    assert short("val/entropy_bits_per_pixel") == "entropy bits/px"


def test_short_names_tell_settings_apart():
    paths = ["model.kind", "model.quantizer.kind", "discriminator.kind", "seed", "data.seed"]
    assert short_names(paths) == {
        "model.kind": "model.kind",
        "model.quantizer.kind": "quantizer.kind",
        "discriminator.kind": "discriminator.kind",
        "seed": "seed",
        "data.seed": "data.seed",
    }
