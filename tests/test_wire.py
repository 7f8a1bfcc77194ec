"""PVs as any Channel Access client sees them, the five instruments in one process or in five."""

import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack

import pytest
from caproto.sync.client import read
from caproto.threading.client import Context
from laboratory import PORT, free_port, ioc

from odmrlab.ioc.physics import Sample
from odmrlab.ioc.rack import INSTRUMENTS
from odmrlab.ioc.rack import rack as make_rack


def command(name: str, *arguments: object, env=None) -> str:
    """Run one of caproto's own clients."""
    # without --no-repeater it would leave one running
    words = [sys.executable, "-m", f"caproto.commandline.{name}", "--no-repeater"]
    words += map(str, arguments)
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=30, env=env)
    return done.stdout + done.stderr


def test_other_clients_read_and_write(rack):
    assert "[3.25]" in command("put", rack + "Rf:Frequency", 3.25)
    assert command("get", "--terse", rack + "Rf:Frequency").split() == ["3.25"]


def test_put_beyond_the_limits_moves_nothing_and_says_why(rack):
    before = command("get", "--terse", rack + "Magnet:Field")
    command("put", "--notify", rack + "Magnet:Field", 501)
    assert command("get", "--terse", rack + "Magnet:Field") == before
    said = bytes(read(rack + "Magnet:Message", repeater=False).data).decode()
    assert said == "magnet: field was refused: needs -500 to 500 [mT]"


@pytest.mark.parametrize("number", ["nan", "inf"])
def test_put_that_is_not_finite_is_refused(rack, number):
    before = command("get", "--terse", rack + "Rf:Power")
    command("put", "--notify", rack + "Rf:Power", number)
    assert command("get", "--terse", rack + "Rf:Power") == before


def test_readbacks_cannot_be_written(rack):
    before = command("get", "--terse", rack + "Cryostat:HeliumLevel")
    command("put", rack + "Cryostat:HeliumLevel", 3)
    assert command("get", "--terse", rack + "Cryostat:HeliumLevel") == before


def test_five_processes_measure_like_one(tmp_path):
    """Each instrument has its own process; the lock-in asks the others over the wire."""
    ports = {name: free_port() for name in INSTRUMENTS}
    addresses = " ".join(f"127.0.0.1:{port}" for port in ports.values())
    env = os.environ | {"EPICS_CA_ADDR_LIST": addresses}
    options = ("--prefix", "F:", "--speed", 100, "--seed", 7)
    with ExitStack() as stack:
        for name, port in ports.items():
            stack.enter_context(ioc(name, *options, port=port, env=env))
        for pv, value in (
            ("Rf:Output", "On"),
            ("Laser:Shutter", "Open"),
            ("Magnet:Field", 42.5),
        ):
            command("put", "--notify", f"F:{pv}", value, env=env)
        command("put", "--notify", "--timeout", 20, "F:Lockin:Shot", 1, env=env)
        apart = command("get", "--terse", "F:Lockin:Reading", env=env)
    x = float(apart.strip(" []\n").split()[1])
    assert x > 1e-5, apart  # the resonance of the electron at 1 GHz


def test_lock_in_without_an_instrument_names_it():
    port = free_port()
    env = os.environ | {"EPICS_CA_ADDR_LIST": f"127.0.0.1:{port}"}
    with ioc("lockin", "--prefix", "L:", port=port, env=env):
        command("put", "--notify", "--timeout", 10, "L:Lockin:Shot", 1, env=env)
        said = command("get", "--terse", "L:Lockin:Message", env=env)
    letters = bytes(int(word) for word in said.strip(" []\n").split()).decode()
    assert letters.startswith("lockin: shot was refused: no answer from L:Magnet:SampleField")


def test_pyepics_clients_read_every_pv_with_its_units_and_limits(rack):
    """A process of its own: libca and this test's client must not share one."""
    served = [
        name for name in rack_of_instruments(rack) if not name.endswith(("Message", "Reading"))
    ]
    code = (
        "import epics, json, sys\n"
        "names = json.load(sys.stdin)\n"
        "pvs = [epics.PV(name, form='ctrl') for name in names]\n"
        "found = {pv.pvname: [pv.get(timeout=5) is not None, pv.units, pv.upper_ctrl_limit,"
        " pv.enum_strs] for pv in pvs}\n"
        "print(json.dumps(found))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(served),
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert all(answer[0] for answer in found.values())
    assert found[rack + "Magnet:Field"][1:3] == ["mT", 500]
    assert found[rack + "Rf:Output"][3] == ["Off", "On"]


def rack_of_instruments(prefix: str) -> list[str]:
    """Return the names of every PV but those of the sample."""
    return [name for name in make_rack(prefix, Sample()) if ":Sample:" not in name]


def test_two_hundred_monitors_and_many_clients_leave_the_ioc_answering(rack):
    """200 subscriptions, puts from four clients in turn, 100 connects and disconnects."""
    power = rack + "Rf:Power"
    others = [name for name in rack_of_instruments(rack) if name != power][:49]
    contexts, seen, kept = [Context() for _ in range(4)], [], []

    def count(sub, response):
        seen.append(response)

    for context in contexts:
        for pv in context.get_pvs(power, *others):
            pv.wait_for_connection(timeout=10)
            kept.append(pv.subscribe())
            kept[-1].add_callback(count)
    for number in range(20):
        for context in contexts:
            context.get_pvs(power)[0].write([float(-number)], wait=True, timeout=10)
    for context in contexts:
        context.disconnect()
    for _ in range(100):
        with socket.create_connection(("127.0.0.1", PORT), timeout=5):
            pass
    assert len(kept) == 200 and len(seen) > 200 + 4 * 40  # all hear the first value and the puts
    assert command("get", "--terse", power).split() == ["-19"]
