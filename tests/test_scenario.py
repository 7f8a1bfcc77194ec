"""Scenarios: faults at a laboratory time, and before a shot."""

import asyncio

import pytest

from odmrlab.ioc.bench_file import BenchFileError
from odmrlab.ioc.physics import Sample
from odmrlab.ioc.rack import KINDS, rack
from odmrlab.ioc.scenario import play, read_scenario, wait_for_shots

pytestmark = pytest.mark.usefixtures("virtual_time")


@pytest.fixture
def write(tmp_path):
    def write(text: str):
        (tmp_path / "scenario.toml").write_text(text)
        return tmp_path / "scenario.toml"

    return write


def test_scenario_is_played_in_the_order_of_its_times(write):
    entries = read_scenario(
        write(
            '[[fault]]\ntime = 20\ninstrument = "rf"\nfault = "unlevelled"\n'
            '[[fault]]\ntime = 10\ninstrument = "laser"\nfault = "mode-lock loss"\n'
        ),
        KINDS,
    )
    pvs = rack("", Sample(), speed=1000, faults=True, names=("rf", "laser"))
    clock = pvs["Rf:Power"].group.clock

    async def watch():
        began = clock.now()
        playing = asyncio.create_task(play(entries, pvs, "", clock))
        while pvs["Rf:Levelled"].value == "Yes":
            await clock.sleep(1)
        await playing
        return clock.now() - began, pvs["Laser:ModeLocked"].value

    took, locked = asyncio.run(asyncio.wait_for(watch(), 5))
    assert took >= 20 and locked == "No"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", r"needs \[\[fault\]\] tables"),
        ("fault = 3", r"needs \[\[fault\]\] tables"),
        ("[[fault]]\ntime = 1", "needs the keys time or shot, instrument"),
        ('[[fault]]\ntime = -1\ninstrument = "rf"\nfault = "none"', "time = -1; needs laboratory"),
        ('[[fault]]\ntime = 1\ninstrument = "squid"\nfault = "none"', "needs one of: magnet"),
        ('[[fault]]\ntime = 1\ninstrument = "rf"\nfault = "quench"', "'quench' of rf; needs one"),
        ('[[fault]]\nshot = 0\ninstrument = "rf"\nfault = "none"', "shot = 0; needs the number"),
        ('[[fault]]\nshot = 1\ntime = 1\ninstrument = "rf"\nfault = "none"', "time or shot"),
        ("[[fault", "needs TOML"),
    ],
)
def test_bad_scenario_is_refused_in_one_sentence(write, text, words):
    with pytest.raises(BenchFileError, match=words):
        read_scenario(write(text), KINDS)


SHOTS = (
    '[[fault]]\nshot = 2\ninstrument = "lockin"\nfault = "overload"\n'
    '[[fault]]\nshot = 3\ninstrument = "lockin"\nfault = "none"\n'
)


def test_fault_happens_before_its_shot(write):
    entries = read_scenario(write(SHOTS), KINDS)
    pvs = rack("", Sample(), speed=1e5, faults=True)
    wait_for_shots(entries, pvs, "")

    async def flags():
        found = []
        for number in (1, 2, 3):
            await pvs["Lockin:Shot"].write(number)
            found.append(pvs["Lockin:Overload"].value)
        return found

    assert asyncio.run(asyncio.wait_for(flags(), 10)) == ["No", "Yes", "No"]


def test_shot_of_an_instrument_elsewhere_is_refused(write):
    entries = read_scenario(write(SHOTS.replace("lockin", "rf").replace("overload", "none")), KINDS)
    for names in (("lockin",), ("rf",)):
        with pytest.raises(BenchFileError, match="waits for shot 2; needs that instrument and the"):
            wait_for_shots(entries, rack("", Sample(), faults=True, names=names), "")
