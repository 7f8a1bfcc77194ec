"""However a plan ends, it leaves the bench as declared."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from types import SimpleNamespace

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import bluesky.preprocessors as bpp
import pytest
from bluesky.utils import RunEngineInterrupted
from ophyd.utils import LimitError

from odmrlab.lab.record.journal import read
from odmrlab.lab.record.runfile import UnkeptError
from odmrlab.lab.session import Instruments, Session
from odmrlab.lab.settings import Settings
from odmrlab.plans import SAFE, odmr

pytestmark = pytest.mark.layer


@pytest.fixture
def make(tmp_path, bench):
    """Make sessions at the bench; documents in ``<session>.documents``."""
    made = []

    def make(**more) -> Session:
        documents = []
        session = Session(
            Settings(home=tmp_path),
            Instruments(**vars(bench)),
            lambda *pair: documents.append(pair),
            **more,
        )
        session.documents = documents
        made.append(session)
        return session

    yield make
    for session in made:
        session.close()


def stop_of(session) -> dict:
    session.road.drain()
    return next(doc for name, doc in session.documents if name == "stop")


def is_safe(bench) -> bool:
    held = bench.magnet.ramping.get() == 0
    return (bench.rf.output.get(), bench.laser.shutter.get(), held) == ("Off", "Closed", True)


@contextmanager
def on_the_way(magnet, do) -> Iterator[None]:
    """Do something once, as soon as the field moves."""
    timer = Timer(0.1, do)

    def look(value=None, **_) -> None:
        if value and not timer.ident:
            timer.start()

    watcher = magnet.ramping.subscribe(look)
    yield
    magnet.ramping.unsubscribe(watcher)


def test_success_leaves_everything_as_it_is_unless_declared(make, bench):
    make().RE(bp.count([bench.lockin]))
    assert (bench.rf.output.get(), bench.laser.shutter.get()) == ("On", "Open")


def test_success_leaves_it_as_declared(make, bench):
    make(after_success={"laser.shutter": "Closed", "magnet.field": 10.0}).RE(bps.null())
    assert (bench.rf.output.get(), bench.laser.shutter.get()) == ("On", "Closed")
    assert bench.magnet.field_readback.get() == 10.0


def test_failure_is_safe_and_keeps_its_reason(make, bench, caplog):
    def fails():
        yield from bps.mv(bench.magnet, 50.0)
        raise RuntimeError("the plan's own error")

    session = make()
    with pytest.raises(RuntimeError, match="the plan's own error"):
        session.RE(bpp.run_wrapper(fails()))
    assert is_safe(bench) and bench.magnet.field.get() == 50.0
    assert stop_of(session)["reason"] == "the plan's own error"
    assert "the bench is left safe: rf.output Off, laser.shutter Closed" in caplog.text


def test_failure_parks_the_field_where_it_is_declared(make, bench):
    session = make(after_failure=SAFE | {"magnet.field": 0.0})
    with pytest.raises(LimitError):
        session.RE(bps.mv(bench.rf.power, 99.0))
    assert is_safe(bench) and bench.magnet.field_readback.get() == 0.0


def test_refused_plan_has_moved_nothing(make, bench):
    with pytest.raises(LimitError):
        make().RE(odmr(bench.lockin, bench.magnet, 0, 900))
    assert (bench.rf.output.get(), bench.laser.shutter.get()) == ("On", "Open")


def test_callback_that_raises_does_not_stop_the_scan(make, bench, caplog):
    def broken(name, doc):
        raise ValueError("broken callback")

    session = make()
    session.RE.subscribe(broken)
    assert session.RE(bp.count([bench.lockin], 3)).exit_status == "success"
    assert stop_of(session)["exit_status"] == "success"
    assert caplog.text.count("ValueError: broken callback") == 1


def test_disk_that_is_full_ends_safe(make, bench, monkeypatch):
    session = make()
    full = SimpleNamespace(f_frsize=1, f_bavail=0)
    session.RE.msg_hook = lambda message: (
        message.command == "save" and monkeypatch.setattr(os, "fstatvfs", lambda _: full)
    )
    with pytest.raises(UnkeptError, match="0 MB are free in .*; a run needs 10 MB to go on"):
        session.RE(bp.count([bench.lockin], 3))
    assert is_safe(bench)
    stop = stop_of(session)
    assert stop["exit_status"] == "fail" and "0 MB are free" in stop["reason"]


def test_ramp_that_was_paused_goes_on(make, bench):
    bench.magnet.ramp_rate.set(0.5).wait(5)
    session = make()
    with pytest.raises(RunEngineInterrupted), on_the_way(bench.magnet, session.RE.request_pause):
        session.RE(bpp.run_wrapper(bpp.pchain(bps.checkpoint(), bps.mv(bench.magnet, 242.5))))
    assert bench.magnet.field_readback.get() < 242.5
    assert session.RE.resume().exit_status == "success"
    assert bench.magnet.field_readback.get() == 242.5


@pytest.mark.parametrize("end", ["abort", "stop"])
def test_ramp_that_is_interrupted_is_held(make, bench, end):
    bench.magnet.ramp_rate.set(0.5).wait(5)
    session = make()
    with pytest.raises(RunEngineInterrupted), on_the_way(bench.magnet, session.RE.request_pause):
        session.RE(bpp.run_wrapper(bpp.pchain(bps.checkpoint(), bps.mv(bench.magnet, 442.5))))
    getattr(session.RE, end)()
    assert session.RE.state == "idle" and is_safe(bench)
    assert 42.5 < bench.magnet.field.get() == bench.magnet.field_readback.get() < 442.5
    assert stop_of(session)["exit_status"] == {"abort": "abort", "stop": "success"}[end]


def test_session_that_is_closed_ends_a_paused_plan(make, bench):
    bench.magnet.ramp_rate.set(0.5).wait(5)
    session = make()
    with pytest.raises(RunEngineInterrupted), on_the_way(bench.magnet, session.RE.request_pause):
        session.RE(bpp.run_wrapper(bpp.pchain(bps.checkpoint(), bps.mv(bench.magnet, 442.5))))
    session.close()
    assert session.RE.state == "idle" and is_safe(bench)
    assert stop_of(session)["reason"] == "its session was closed"


def test_one_lost_instrument_leaves_the_others_safe(make, bench, monkeypatch, caplog):
    def lost(value):
        raise TimeoutError("no answer")

    monkeypatch.setattr(bench.rf.output, "set", lost)
    session = make()
    with pytest.raises(LimitError):
        session.RE(bps.mv(bench.rf.power, 99.0))
    assert (bench.laser.shutter.get(), bench.rf.output.get()) == ("Closed", "On")
    assert "rf.output may not be Off: no answer" in caplog.text


SESSION = """\
import os, sys
sys.path.insert(0, {tests!r})
import laboratory
os.environ["EPICS_CA_ADDR_LIST"] = "127.0.0.1:{port}"
from pathlib import Path
import bluesky.plan_stubs as bps
from odmrlab.lab.ending import end_on_signals
from odmrlab.lab.session import Session, connect
from odmrlab.lab.settings import Settings
from odmrlab.plans import odmr
session = Session(Settings(home=Path({home!r})), connect("T:"), lambda name, doc: print(name, flush=True))
end_on_signals([session.RE], {leave})
magnet, rf, laser, cryostat, lockin = session.instruments
session.RE(bps.mv(rf.output, "On", laser.shutter, "Open"))
try:
    session.RE(odmr(lockin, magnet, 0, 400, 4000))
finally:
    session.close()
"""


@pytest.mark.parametrize("leave", ["None", "session.close"])
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["TERM", "HUP"]
)
def test_signal_ends_a_session_safe_with_its_run_closed(bench, tmp_path, number, status, leave):
    port = os.environ["EPICS_CA_ADDR_LIST"].split()[0].split(":")[1]
    tests = os.path.dirname(__file__)
    script = SESSION.format(tests=tests, port=port, home=str(tmp_path), leave=leave)
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    while process.stdout.readline() != "event\n":
        assert process.poll() is None
    for _ in range(20):
        process.stdout.readline()
    began = time.monotonic()
    process.send_signal(number)
    process.communicate(timeout=20)
    assert process.returncode == status and time.monotonic() - began < 10
    assert is_safe(bench)
    assert bench.rf.lease_owner.get() == ""  # given back, not run out
    (run,) = (tmp_path / "journal").glob("*.jsonl")
    name, stop = list(read(run))[-1]
    assert (name, stop["exit_status"]) == ("stop", "abort")
    assert f"ended by {number.name}" in stop["reason"]
