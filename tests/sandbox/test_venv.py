"""The script that makes the virtual environment."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "sandbox/venv.sh"


def test_an_environment_behind_a_link_is_left_alone(tmp_path: Path) -> None:
    """It may be another checkout's, and making one anew begins by emptying it."""
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "precious").touch()
    (tmp_path / "venv").symlink_to(theirs)
    done = subprocess.run(
        ["sh", str(SCRIPT), sys.executable, str(tmp_path / "venv")], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "venv is a link" in done.stderr
    assert [found.name for found in theirs.iterdir()] == ["precious"]
