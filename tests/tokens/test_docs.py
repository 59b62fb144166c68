"""The reading example of docs/tokens.md runs, and what it makes is right."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from raysweep.pretrained import load
from tests.tokens.conftest import LENGTHS
from tests.tokens.test_making import coded

PAGE = Path(__file__).parent.parent.parent / "docs" / "tokens.md"


def test_the_example_reads_windows_and_decodes_one(
    model: Path, footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tokenizer").symlink_to(model)
    coded(load(model), footage, "codes-of-my-videos")
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    left: dict[str, Any] = {}
    exec(code, left)
    assert len(left["starts"]) == sum(frames - 3 for frames in LENGTHS.values())
    ids = load(model).encode_video(footage / min(LENGTHS))
    np.testing.assert_array_equal(left["window_Thw"], ids[0][:4])
    assert left["frames_THWC"].shape == (4, 32, 32, 3)


def test_the_page_has_every_column(model: Path, footage: Path, tmp_path: Path) -> None:
    from raysweep.tokens.table import Place

    page = PAGE.read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)`.*\|", page, re.MULTILINE) == [*Place._fields, "codes_0"]
