"""The same scan as stock ophyd and bluesky do it: the control that must fail."""

import threading

import bluesky.plans as bp
from bluesky import RunEngine
from bluesky.suspenders import SuspendBoolLow, SuspendFloor
from bluesky.utils import RunEngineInterrupted
from ophyd import Component as Cpt
from ophyd import Device, EpicsSignal, EpicsSignalRO, PVPositioner
from ours import Ours
from rack import NUMBER, PREFIX, START, STOP, Documents, HungError


class StockMagnet(PVPositioner):
    """A magnet as the handbook has it: done when the flag says so."""

    setpoint = Cpt(EpicsSignal, "Field")
    readback = Cpt(EpicsSignalRO, "FieldReadback")
    done = Cpt(EpicsSignalRO, "Ramping")
    done_value = 0
    stop_signal = Cpt(EpicsSignal, "Stop")
    stop_value = 1


class StockLockin(Device):
    """A lock-in as the handbook has it: a put that has completed is a new reading."""

    shot = Cpt(EpicsSignal, "Shot", put_complete=True, kind="omitted")
    x = Cpt(EpicsSignalRO, "X")
    y = Cpt(EpicsSignalRO, "Y")

    def trigger(self):
        """Take a reading; done when its put has completed."""
        return self.shot.set(self.shot.get() + 1)


class Stock(Ours):
    """Runs scans with stock devices and stock suspenders; its bench is put in order by ours."""

    def __init__(self):
        super().__init__()
        self.magnet = StockMagnet(f"{PREFIX}Magnet:", name="magnet")
        self.lockin = StockLockin(f"{PREFIX}Lockin:", name="lockin")
        self.locked = EpicsSignalRO(f"{PREFIX}Laser:ModeLocked", name="locked")
        self.helium = EpicsSignalRO(f"{PREFIX}Cryostat:HeliumLevel", name="helium")
        for device in (self.magnet, self.lockin, self.locked, self.helium):
            device.wait_for_connection(timeout=10)

    def scan(self, at_point, longest: float) -> None:
        self.documents = documents = Documents()
        hung = threading.Event()
        RE = RunEngine()
        RE.install_suspender(SuspendBoolLow(self.locked))
        RE.install_suspender(SuspendFloor(self.helium, 10))

        def renamed(name: str, doc: dict) -> None:
            if name == "event" and "magnet_readback" in doc["data"]:
                here = doc["data"]["magnet_readback"]
                doc = doc | {"data": doc["data"] | {"magnet_field_readback": here}}
            documents(name, doc)

        def give_up() -> None:
            hung.set()
            RE.request_pause()

        RE.subscribe(renamed)
        RE.subscribe(lambda *_: at_point(len(documents.rows)), "event")
        timer = threading.Timer(longest, give_up)
        timer.start()
        try:
            RE(bp.scan([self.lockin], self.magnet, START, STOP, NUMBER))
        except RunEngineInterrupted:
            RE.abort("hung")
        finally:
            timer.cancel()
        if hung.is_set():
            raise HungError(f"no end after {longest:g} s")
