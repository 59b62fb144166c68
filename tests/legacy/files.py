"""The param.json files of tests/data/legacy."""

from pathlib import Path

FOLDER = Path(__file__).parents[1] / "data" / "legacy"
FILES = sorted(path.name for path in FOLDER.glob("*.json"))
