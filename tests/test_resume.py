"""A run whose session was killed is gone on with: the bench is put back and proved, no point twice."""

import os
import signal
import subprocess
import sys
from itertools import count

import pytest
from bluesky.preprocessors import msg_mutator
from laboratory import SPARE_PORT, ioc

from odmrlab.lab.record.recorded import recorded
from odmrlab.lab.session import Session, connect
from odmrlab.lab.settings import Settings
from odmrlab.plans import ResumeError, odmr, resume

pytestmark = pytest.mark.layer
FIELDS = [20.0 + 2 * n for n in range(24)]  # mT

SESSION = """\
import os, sys
os.environ["EPICS_CA_ADDR_LIST"] = "127.0.0.1:{port}"
from pathlib import Path
import bluesky.plan_stubs as bps
from odmrlab.lab.session import Session, connect
from odmrlab.lab.settings import Settings
from odmrlab.plans import odmr
def told(name, doc):
    print(name, doc.get("uid"), flush=True)
session = Session(Settings(home=Path({home!r}), prefix="R:"), connect("R:"), told)
magnet, rf, laser, cryostat, lockin = session.instruments
session.RE(bps.mv(rf.output, "On", rf.frequency, 1.0, laser.shutter, "Open", laser.power, 0.5,
                  lockin.integration_time, 50.0, magnet.ramp_rate, 16.7))
session.RE(odmr(lockin, magnet, 20, 66, 24, md={{"sample": "hidden"}}))
"""


@pytest.fixture(scope="module")
def rack():
    with ioc("--prefix", "R:", "--speed", 500, "--seed", 7, port=SPARE_PORT):
        yield


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(home=tmp_path, prefix="R:")


def killed(settings: Settings, after: int) -> str:
    """Let a session measure so many points and kill it; returns the uid of its run."""
    script = SESSION.format(port=SPARE_PORT, home=str(settings.home))
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    run, seen = "", 0
    for line in process.stdout:
        name, uid = line.split()
        run = uid if name == "start" else run
        seen += name == "event"
        if seen > after:  # one of the baseline
            break
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    process.stdout.close()
    return run


@pytest.fixture
def session(rack, settings):
    """Give a session that waits until the lease of a dead one has run out."""
    made = []

    def make() -> Session:
        instruments = connect("R:")
        for instrument in instruments:
            while instrument.lease_owner.get():
                pass
        session = Session(settings, instruments, lambda *pair: session.documents.append(pair))
        session.documents = []
        made.append(session)
        return session

    yield make
    for one in made:
        one.close()


def rows(session: Session, stream: str, column: str) -> list:
    wanted = {d["uid"] for n, d in session.documents if n == "descriptor" and d["name"] == stream}
    events = [d for n, d in session.documents if n == "event" and d["descriptor"] in wanted]
    return [event["data"][column] for event in events if column in event["data"]]


def test_killed_run_is_gone_on_with_and_fitted_as_one(rack, settings, session):
    run = killed(settings, 8)
    kept = recorded(settings.journal, run[:8])
    assert len(kept.rows) >= 8 and kept.left == FIELDS[len(kept.rows) :]
    lab = session()
    _, rf, laser, *_ = lab.instruments
    assert (rf.output.get(), laser.shutter.get()) == ("Off", "Closed")  # by the IOC itself
    rf.frequency.set(3.0).wait(5)  # somebody has played with it
    lab.RE(resume(kept, lab.instruments))
    lab.road.drain()
    measured = [row["magnet_field"] for row in kept.rows]
    starts = [doc for name, doc in lab.documents if name == "start"]
    assert measured + rows(lab, "primary", "magnet_field") == FIELDS
    assert rows(lab, "verification", "magnet_field") == [measured[-1]]
    assert rf.frequency.get() == 1.0
    assert (starts[0]["resumes"], starts[0]["points_before"]) == (run, len(measured))
    assert starts[1]["analysis_of"] == [run, starts[0]["uid"]]
    assert starts[1]["result"]["field"] == pytest.approx(42.53, abs=0.5)
    assert rows(lab, "primary", "points_used") == [24]
    with pytest.raises(ResumeError, match="has all of its points; needs a run that was ended"):
        lab.RE(resume(recorded(settings.journal, starts[0]["uid"]), lab.instruments))


def test_run_that_died_twice_is_gone_on_with_again(rack, settings, session):
    run = killed(settings, 3)
    lab, triggered = session(), count(1)

    def stop_soon(message):
        if message.command == "trigger" and next(triggered) == 5:
            raise RuntimeError("the end of the world")
        return message

    with pytest.raises(RuntimeError, match="end of the world"):
        lab.RE(msg_mutator(resume(recorded(settings.journal, run), lab.instruments), stop_soon))
    lab.road.drain()
    second = next(doc for name, doc in lab.documents if name == "start")["uid"]
    kept = recorded(settings.journal, second)
    assert kept.runs == [run, second]
    lab.documents.clear()
    lab.RE(resume(kept, lab.instruments))
    fields = [row["magnet_field"] for row in kept.rows] + rows(lab, "primary", "magnet_field")
    assert fields == FIELDS


def test_bench_that_is_not_what_it_was_is_refused(rack, settings, session):
    run = killed(settings, 8)
    kept, lab = recorded(settings.journal, run), session()
    shifted = [row | {"lockin_x": row["lockin_x"] + 1e-4} for row in kept.rows]
    with pytest.raises(
        ResumeError, match=r"lockin_x is \S+ V and was .* needs the bench as it was"
    ):
        lab.RE(resume(type(kept)(**{**vars(kept), "rows": shifted}), lab.instruments))
    assert rows(lab, "primary", "magnet_field") == []


@pytest.mark.parametrize(
    ("run", "words"),
    [("nobody", "0 runs of the journal begin with 'nobody'"), ("x", "needs the uid of one")],
)
def test_unknown_run_is_told(settings, run, words):
    settings.journal.mkdir(parents=True, exist_ok=True)
    with pytest.raises(ResumeError, match=words):
        recorded(settings.journal, run)


def test_run_that_is_being_measured_is_refused(rack, settings, session):
    lab = session()
    told = []

    def look(_, doc):
        with pytest.raises(ResumeError) as refusal:
            recorded(settings.journal, doc["uid"])
        told.append(str(refusal.value))

    # it is being measured as long as the scan waits for the first look
    lab.RE.msg_hook = lambda message: message.command == "save" and (told or lab.road.drain())
    lab.RE.subscribe(look, "start")
    lab.RE(odmr(lab.instruments.lockin, lab.instruments.magnet, 20, 34, 8))
    assert told[0].endswith("is being measured; needs a run that has ended")


def test_command_goes_on(rack, settings, session):
    run = killed(settings, 20)
    session().close()
    command = [sys.executable, "-c", "from odmrlab.lab.cli import main; main()", "resume", run[:10]]
    env = os.environ | {"ODMRLAB_HOME": str(settings.home), "ODMRLAB_PREFIX": "R:"}
    env |= {"HOME": str(settings.home), "EPICS_CA_ADDR_LIST": f"127.0.0.1:{SPARE_PORT}"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    assert "points are there" in done.stdout and "fit odmr" in done.stdout
    again = subprocess.run(command, check=False, capture_output=True, text=True, env=env)
    assert again.returncode == 2
    assert again.stderr.endswith("has all of its points; needs a run that was ended\n")
