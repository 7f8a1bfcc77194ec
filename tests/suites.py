"""A few cases of a fault suite, as ``make faults`` runs them."""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent.parent


def suite(name: str, number: int, folder: Path, seed: int = 11) -> dict:
    """Run a few cases of a suite; returns what came of them."""
    out, page = folder / "faults.json", folder / "page.md"
    words = ["--suite", name, "--number", number, "--seed", seed, "--out", out, "--page", page]
    done = subprocess.run(
        [sys.executable, HERE / "faults", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| fault | runs | lost | wrong | hung |" in page.read_text()
    return json.loads(out.read_text())[name]
