"""Five instruments in five processes: the laboratory clock may run at any speed."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from math import hypot

import pytest
from laboratory import free_port, ioc

from odmrlab.ioc.physics.carrier import Carrier
from odmrlab.ioc.rack import INSTRUMENTS

MEASURE = """\
import json
import bluesky.plan_stubs as bps
from bluesky import RunEngine
from odmrlab.lab.session import connect
from odmrlab.analysis.fit_run import FitRun
from odmrlab.plans import spin_inertia

bench, found = connect("F:"), {}
def keep(name, doc):
    if name == "event":
        found.update(t1=doc["data"]["t1"], error=doc["data"]["t1_error"])
RE = RunEngine()
RE.subscribe(FitRun(keep))
def plan():
    yield from bps.mv(bench.rf.output, "On", bench.laser.shutter, "Open", bench.rf.frequency, 1.0)
    yield from bps.mv(bench.magnet, 42.5, bench.laser.power, 2.0)
    yield from bps.mv(bench.lockin.integration_time, 1.0)
    yield from spin_inertia(bench.lockin, bench.rf.modulation_frequency, 300, 30e3, 12)
RE(plan())
print(json.dumps(found))
"""


def t1_at(speed: float) -> dict[str, float]:
    """Measure T1 in a client process of its own, which finds five servers."""
    ports = {name: free_port() for name in INSTRUMENTS}
    addresses = " ".join(f"127.0.0.1:{port}" for port in ports.values())
    env = os.environ | {"EPICS_CA_ADDR_LIST": addresses}
    options = ("--prefix", "F:", "--speed", speed, "--seed", 11)
    with ExitStack() as stack:
        for name, port in ports.items():
            stack.enter_context(ioc(name, *options, port=port, env=env))
        command = [sys.executable, "-c", MEASURE]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_t1_is_the_same_at_speed_10_and_at_speed_1000():
    slow, fast = t1_at(10), t1_at(1000)
    t1 = 1 / Carrier().relaxation_rate(Carrier().resonance(1.0), 2.0, 1.6)
    for found in (slow, fast):
        assert found["error"] < 0.02 * t1
        assert found["t1"] == pytest.approx(t1, abs=4 * found["error"])
    assert fast["t1"] == pytest.approx(slow["t1"], abs=4 * hypot(slow["error"], fast["error"]))
