"""An instrument that drops its circuits fails the move at once, and is found again."""

import time

import pytest
from laboratory import SPARE_PORT, ioc
from ophyd import EpicsSignal
from ophyd.utils import DisconnectedError

from odmrlab.devices import Magnet, wait_for_all

pytestmark = pytest.mark.layer


def test_dropped_circuits_fail_the_move_at_once_and_come_back(monkeypatch):
    options = ("magnet", "--prefix", "D:", "--speed", 500, "--faults")
    with ioc(*options, port=SPARE_PORT):
        magnet = Magnet("D:Magnet:", name="magnet")
        fault = EpicsSignal("D:Magnet:Fault", name="fault", string=True)
        fault.wait_for_connection(timeout=5)
        wait_for_all([magnet], timeout=10)
        magnet.ramp_rate.set(0.5).wait(5)
        look = magnet.field_readback.get

        def look_when_it_is_lost():
            monkeypatch.undo()  # but once
            fault.put("dropped circuits", wait=False)
            while magnet.field_readback.connected:  # caproto finds it again within milliseconds
                assert time.monotonic() - began < 3
            return look()

        began = time.monotonic()
        monkeypatch.setattr(magnet.field_readback, "get", look_when_it_is_lost)
        status = magnet.set(400.0)
        # which of its PVs is missed first, and by whom, is up to chance and the client below
        with pytest.raises(Exception, match=r"is lost; needs|Failed to read D:|[Dd]isconnect"):
            status.wait(10)
        assert time.monotonic() - began < 3
        wait_for_answer(magnet)
        magnet.stop()


def wait_for_answer(magnet: Magnet) -> None:
    """Wait until it answers again; a client may notice the loss of some PVs later than of others."""
    deadline = time.monotonic() + 20  # libca searches ever more rarely
    while True:
        try:
            wait_for_all([magnet], timeout=20)
            assert magnet.boot_id.get()
            return
        except (DisconnectedError, TimeoutError):
            assert time.monotonic() < deadline
