"""Programs of one's own around a session: how they end, and how a move at the prompt does."""

import os
import subprocess
import sys

import pytest
from laboratory import SPARE_PORT, devices, ioc

SCRIPT = """
from odmrlab.lab.startup import *
RE(bps.mv(rf.output, "On", laser.shutter, "Open"))
"""
INTERRUPTED = """
import os, signal, threading
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("from odmrlab.lab.startup import *")
threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
shell.run_cell("%mov magnet 400")
shell.run_cell("print(RE.state, RE.attended, magnet.ramping.get(), magnet.field_readback.get() < 300)")
"""
pytestmark = pytest.mark.layer


def run_beside(folder, script: str) -> subprocess.CompletedProcess:
    """Run a script on the instruments that are there."""
    env = os.environ | {"ODMRLAB_HOME": str(folder), "ODMRLAB_PREFIX": "S:"}
    env |= {"TILED_PROFILES": str(folder), "EPICS_CA_ADDR_LIST": f"127.0.0.1:{SPARE_PORT}"}
    words = [sys.executable, "-c", script]
    return subprocess.run(words, check=False, capture_output=True, text=True, env=env, timeout=100)


def test_script_ends_without_a_word_and_gives_the_instruments_back(tmp_path):
    with ioc("--prefix", "S:", "--speed", 500, "--seed", 7, port=SPARE_PORT):
        done = run_beside(tmp_path, SCRIPT)
        # libca misses its repeater, which nothing here needs, in lines that begin with stars
        said = [line for line in done.stderr.splitlines() if not line.startswith("****")]
        assert (done.returncode, said) == (0, [])
        bench = devices("S:")
        assert not any(device.lease_owner.get() for device in vars(bench).values())
        assert bench.rf.output.get() == "On"


def test_ctrl_c_ends_a_move_at_the_prompt_at_once(tmp_path):
    with ioc("--prefix", "S:", "--speed", 3, "--seed", 7, port=SPARE_PORT):
        done = run_beside(tmp_path, INTERRUPTED)
    assert "the plan has ended early: interrupted by Ctrl-C" in done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "idle True 0 True"
