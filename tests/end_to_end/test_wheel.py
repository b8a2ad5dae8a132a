"""The wheel, installed in an environment of its own outside the checkout, is the whole program."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_wheel_alone_makes_a_workspace_and_shows_the_demo(tmp_path: Path) -> None:
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("FILEBRIDGE_", "PYTHON"))
    } | {"RETAILOPS_API_KEY": "a-key-for-this-test"}

    def run(*command: str | Path) -> str:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=tmp_path,
            env=clean,
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0 and "Traceback" not in said, said[-3000:]
        return said

    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", tmp_path / "wheels", CHECKOUT)
    [wheel] = (tmp_path / "wheels").glob("filebridge-*.whl")
    venv.create(tmp_path / "venv", with_pip=True)
    scripts = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    run(scripts / "python", "-m", "pip", "install", "--quiet", wheel)

    filebridge = scripts / "filebridge"
    where = run(scripts / "python", "-c", "import filebridge; print(filebridge.__file__)")
    assert str(tmp_path) in where
    run(filebridge, "init", "trade")
    run(filebridge, "-C", "trade", "check", "--offline")
    assert "RetailOps has 5 orders as complete." in run(filebridge, "demo")
    assert '"$schema"' in run(filebridge, "schema")
