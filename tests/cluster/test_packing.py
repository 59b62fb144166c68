"""What is said to travel is what Ray packs; too much of it is refused, and the largest folders are named."""

from pathlib import Path, PurePath
from zipfile import ZipFile

import pytest
from ray._private.runtime_env.packaging import create_package

from raysweep.cluster.packing import EXCLUDED, LIMIT_BYTES, archive_bytes, check_size, packed
from raysweep.errors import ConfigError

TRAVEL = ["mine.yaml", "raysweep/data/clips.py", "raysweep/models/taming.py", "few/a.mp4"]
STAY = [
    *("data/a.mp4", "runs/first/sweep.yaml", ".git/HEAD", ".venv/bin/python", "last.ckpt"),
    *("raysweep/__pycache__/cli.pyc", ".mypy_cache/x", "notes/secret.txt", "many/b.mp4"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (*TRAVEL, *STAY):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 100)
    (tmp_path / ".gitignore").write_text("notes/\n")
    (tmp_path / ".rayignore").write_text("many\n")
    return tmp_path


def test_what_travels_is_what_ray_packs(folder, tmp_path_factory):
    archive = tmp_path_factory.mktemp("packed") / "archive.zip"
    create_package(str(folder), archive, include_gitignore=True, excludes=list(EXCLUDED))
    with ZipFile(archive) as zipped:
        names = sorted(name for name in zipped.namelist() if not name.endswith("/"))
    files = packed(folder)
    assert sorted(str(path) for path in files) == names
    assert names == sorted([*TRAVEL, ".gitignore", ".rayignore"])
    assert archive.stat().st_size <= archive_bytes(files)


def test_too_much_is_refused_by_its_largest_folders():
    files = {PurePath("videos/a.mp4"): LIMIT_BYTES, PurePath("notebooks/b"): 9000, PurePath("c"): 1}
    check_size(Path("/home"), {PurePath("c"): 1})
    with pytest.raises(ConfigError, match=r"less than 537 MB, .*: videos 537 MB, notebooks 9 kB"):
        check_size(Path("/home"), files)
