"""Every PV under the clients that people have: caproto's command line, and EPICS base in pyepics."""

import json
import subprocess
import sys

import pytest
from caproto import AccessRights, ChannelType
from laboratory import SPARE_PORT, ioc
from test_wire import command

from odmrlab.ioc.physics import Sample
from odmrlab.ioc.rack import rack

PREFIX = "C:"
COMMANDS = ("Lockin:Shot", "Lockin:Auto", "Lockin:Buffer", "Magnet:Leads", "Magnet:SwitchHeater")

PYEPICS = """\
import json, sys, time
import epics

done, first, kept = {}, {}, []
def seen(pvname=None, value=None, **more):
    first[pvname] = True
asked = json.load(sys.stdin)
for name in asked:
    kept.append(epics.PV(name, callback=seen, auto_monitor=True))
deadline = time.monotonic() + 10
while len(first) < len(asked) and time.monotonic() < deadline:
    epics.poll()
for name, puts in asked.items():
    answers = [epics.caget(name, use_monitor=False) is not None]
    for value, expected in puts:
        epics.caput(name, value, wait=True, timeout=10)
        held = epics.caget(name, use_monitor=False)
        if isinstance(held, float):
            held = abs(held - expected) < 1e-6 * max(1, abs(expected))
        else:
            held = held == expected
        answers.append(bool(held))
    done[name] = answers
print(json.dumps([done, sorted(set(asked) - set(first))]))
"""


@pytest.fixture(scope="module")
def served():
    """Run a rack of its own; give its PVs as they are in this process, by full name."""
    with ioc("--prefix", PREFIX, "--speed", 1e6, "--seed", 1, "--faults", port=SPARE_PORT):
        yield rack(PREFIX, Sample(), faults=True)


def writable(pv) -> bool:
    return AccessRights.WRITE in pv.check_access("", "")


def puts_of(name: str, pv) -> list[tuple[object, object]]:
    """Return what to put into a PV and what it should hold then: within, and beyond the limits."""
    if (
        not writable(pv)
        or any(mark in name for mark in COMMANDS)
        or name.endswith((":Fault", ":Lease"))
    ):
        return []
    if pv.data_type == ChannelType.ENUM:
        last = len(pv.enum_strings) - 1
        by_name = [(word, number) for number, word in enumerate(pv.enum_strings)]
        start = pv.enum_strings.index(pv.value)
        return [*by_name, (last, last), (start, start), (last + 5, start)]
    low, high = pv.lower_ctrl_limit, pv.upper_ctrl_limit
    if not low < high:
        return []
    return [
        (low, low),
        (high, high),
        (pv.value, pv.value),
        (high + 1, pv.value),
        (low - 1, pv.value),
    ]


@pytest.fixture(scope="module")
def pyepics(served):
    """Ask every PV from a process of EPICS base; give the answers, and what no monitor showed."""
    asked = {name: puts_of(name, pv) for name, pv in served.items()}
    done = subprocess.run(
        [sys.executable, "-c", PYEPICS],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_caget_reads_and_a_monitor_shows_every_pv(served, pyepics):
    answers, silent = pyepics
    assert set(answers) == set(served)
    assert [name for name, (got, *_) in answers.items() if not got] == []
    assert silent == []


def test_caput_sets_within_the_limits_and_is_refused_beyond(served, pyepics):
    answers, _ = pyepics
    tried = {name: puts_of(name, served[name]) for name in answers if puts_of(name, served[name])}
    assert len(tried) > 20
    wrong = {
        name: put
        for name, puts in tried.items()
        for put, held in zip(puts, answers[name][1:], strict=True)
        if not held
    }
    assert wrong == {}


def test_caproto_get_reads_every_pv(served):
    said = command("get", "--terse", "--timeout", 10, *served)
    assert len(said.splitlines()) == len(served) and "Error" not in said


def test_caproto_monitor_shows_every_pv(served):
    said = command("monitor", "--timeout", 10, "--maximum", len(served), *served)
    assert set(served) <= {line.split()[0] for line in said.splitlines() if line}


@pytest.mark.parametrize(
    ("name", "value", "held"),
    [
        ("Rf:Output", "On", "1"),
        ("Rf:Output", 0, "0"),
        ("Rf:Power", 21, "0"),
        ("Laser:Shutter", "Ajar", "0"),
    ],
)
def test_caproto_put_by_name_and_number_and_refused(served, name, value, held):
    command("put", "--notify", PREFIX + name, value)
    said = command("get", "--terse", "-n", PREFIX + name)
    assert float(said.split()[0]) == float(held)


def test_units_fit_into_a_control_structure(served):
    """Eight bytes of Channel Access; a longer one makes the PV unreadable for most clients."""
    units = {name: getattr(pv, "units", None) or "" for name, pv in served.items()}
    assert {name: unit for name, unit in units.items() if len(unit.encode()) > 8} == {}
