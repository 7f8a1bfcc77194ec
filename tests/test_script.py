"""A script of one's own: what it imports is closed in order when it ends."""

import os
import subprocess
import sys

import pytest
from laboratory import SPARE_PORT, devices, ioc

SCRIPT = """
from odmrlab.lab.startup import *
RE(bps.mv(rf.output, "On", laser.shutter, "Open"))
"""
pytestmark = pytest.mark.layer


def test_script_ends_without_a_word_and_gives_the_instruments_back(tmp_path):
    env = os.environ | {"ODMRLAB_HOME": str(tmp_path), "ODMRLAB_PREFIX": "S:"}
    env |= {"TILED_PROFILES": str(tmp_path), "EPICS_CA_ADDR_LIST": f"127.0.0.1:{SPARE_PORT}"}
    with ioc("--prefix", "S:", "--speed", 500, "--seed", 7, port=SPARE_PORT):
        words = [sys.executable, "-c", SCRIPT]
        done = subprocess.run(
            words, check=False, capture_output=True, text=True, env=env, timeout=100
        )
        # libca misses its repeater, which nothing here needs, in lines that begin with stars
        said = [line for line in done.stderr.splitlines() if not line.startswith("****")]
        assert (done.returncode, said) == (0, [])
        bench = devices("S:")
        assert not any(device.lease_owner.get() for device in vars(bench).values())
        assert bench.rf.output.get() == "On"
