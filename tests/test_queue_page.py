"""Every command of the how-to page about the queue does what the page says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from queue_laboratory import SAFE, QueueLaboratory


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with QueueLaboratory(tmp_path_factory.mktemp("home"), speed=500) as lab:
        yield lab


def test_the_commands_of_the_page_queue_and_run_a_night(lab, root):
    page = (root / "docs" / "how-to" / "queue.md").read_text()
    commands = "".join(re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    shell = subprocess.run(
        ["/bin/sh", "-x"],
        input=commands,
        env=lab.environment | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    refusal = re.search(r"says `(odmr: .*?)`", page)[1]
    # the client prints a long string in pieces
    assert refusal in re.sub(r"'\n\s*'", "", shell.stdout)
    assert shell.stdout.count("'success': False") == 1
    lab.wait_until_idle(ended=7)
    assert {entry["result"]["exit_status"] for entry in lab.history()} == {"completed"}
    assert lab.bench() == SAFE


def test_a_group_that_is_none_is_told(lab):
    done = subprocess.run(
        [sys.executable, "-m", "odmrlab.lab.queue", "root"],
        env=lab.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "queue: queue: group 'root'; needs one of" in done.stderr
