"""The instruments behave in time as their bench file says, and ideally without one."""

import asyncio
from math import nan

import pytest

from odmrlab.ioc.cryostat import Bath
from odmrlab.ioc.laser import Resonator
from odmrlab.ioc.magnet import Coil
from odmrlab.ioc.physics import Sample
from odmrlab.ioc.rack import rack
from odmrlab.ioc.rf import Synthesizer

pytestmark = pytest.mark.usefixtures("virtual_time")

NAMES = ("magnet", "rf", "laser", "cryostat")


class Bench:
    """Instruments in this process, fast; puts are those of a client that waits for the end."""

    def __init__(self, speed=1e4, **characters):
        self.pvs = rack("", Sample(), names=NAMES, speed=speed, seed=1, characters=characters)
        self.clock = self.pvs["Magnet:Field"].group.clock
        self.lines = self.pvs["Magnet:Field"].group.bench

    async def get(self, name):
        pv = self.pvs[name]
        got = await pv.getter(pv)
        return pv.value if got is None else got

    async def put(self, name, value):
        pv = self.pvs[name]
        await pv.write(value)
        while pv.group.in_motion:
            await asyncio.sleep(0.001)


def test_ideal_field_is_exactly_the_set_point_at_the_sample_too():
    async def sweep(bench):
        for field in (100.0, -37.5, 42.123456789):
            await bench.put("Magnet:Field", field)
            assert bench.pvs["Magnet:FieldReadback"].value == field
            assert bench.lines.magnet_field_readback == field

    asyncio.run(sweep(Bench()))


def test_remanence_shifts_the_field_at_the_sample_alone_and_always_alike():
    async def sweep(bench):
        await bench.put("Magnet:Field", 400.0)
        await bench.put("Magnet:Field", 100.0)
        seen = [bench.lines.magnet_field_readback]
        assert bench.pvs["Magnet:FieldReadback"].value == 100.0
        assert bench.pvs["Magnet:SampleField"].value == seen[0]
        await bench.put("Magnet:Field", -400.0)
        await bench.put("Magnet:Field", -100.0)
        return [*seen, bench.lines.magnet_field_readback]

    coil = Coil(remanence=2, field_offset=0.5, settling_time=0.7, eddy_time=1.0)
    first, again = (asyncio.run(sweep(Bench(magnet=coil))) for _ in range(2))
    assert first == again == [102.5, -101.5]


def test_eddy_currents_let_the_sample_lag_by_rate_times_time():
    async def sweep(bench):
        await bench.pvs["Magnet:RampRate"].write(10.0)
        await bench.pvs["Magnet:Field"].write(400.0)
        await bench.clock.sleep(20)
        await bench.pvs["Magnet:FieldReadback"].write(await bench.get("Magnet:FieldReadback"))
        return bench.pvs["Magnet:FieldReadback"].value - bench.lines.magnet_field_readback

    assert asyncio.run(sweep(Bench(speed=100, magnet=Coil(eddy_time=2.0)))) == pytest.approx(
        20, 0.1
    )


def test_leads_limit_the_rate():
    async def sweep(bench):
        await bench.pvs["Magnet:RampRate"].write(16.7)
        began = bench.clock.now()
        await bench.put("Magnet:Field", 100.0)
        return bench.clock.now() - began

    assert asyncio.run(sweep(Bench(magnet=Coil(inductance=150.0)))) >= 100 / 1.6667


def test_hold_keeps_the_set_point_and_the_ramp_goes_on():
    async def sweep(bench):
        await bench.pvs["Magnet:Field"].write(400.0)
        await bench.clock.sleep(20)
        await bench.put("Magnet:Hold", "Yes")
        held = bench.pvs["Magnet:FieldReadback"].value
        assert 90 < held < 400 and bench.pvs["Magnet:Field"].value == 400.0
        with pytest.raises(ValueError, match="the ramp is held; needs Hold No"):
            await bench.pvs["Magnet:Field"].write(10.0)
        await bench.put("Magnet:Hold", "No")
        return bench.pvs["Magnet:FieldReadback"].value

    assert asyncio.run(sweep(Bench(speed=1000))) == 400.0


def test_persistent_field_stays_while_the_leads_are_empty():
    async def persist(bench):
        await bench.put("Magnet:Field", 100.0)
        await bench.put("Magnet:SwitchHeater", "Off")
        with pytest.raises(ValueError, match="the switch is cooling; needs SwitchHeater On"):
            await bench.pvs["Magnet:Field"].write(50.0)
        await bench.clock.sleep(25)
        await bench.put("Magnet:Leads", "Zero")
        await bench.clock.sleep(30)
        assert await bench.get("Magnet:Current") == 0
        with pytest.raises(ValueError, match="leads at 0 A, coil at 1 A; needs Leads Matched"):
            await bench.pvs["Magnet:SwitchHeater"].write("On")
        assert bench.lines.magnet_field_readback == 100.0
        await bench.put("Magnet:Leads", "Matched")
        await bench.clock.sleep(30)
        await bench.put("Magnet:SwitchHeater", "On")
        assert await bench.get("Magnet:Switch") == "Heating"
        await bench.clock.sleep(26)
        await bench.put("Magnet:Field", 50.0)
        return bench.lines.magnet_field_readback

    assert asyncio.run(persist(Bench(speed=1000))) == 50.0


def test_quench_takes_the_field_away_and_is_latched_until_the_coil_is_cold():
    async def quench(bench):
        magnet = bench.pvs["Magnet:Field"].group
        await bench.put("Magnet:Field", 300.0)
        await magnet.suffer("quench")
        began = bench.clock.now()
        await bench.clock.sleep(20)
        left = await bench.get("Magnet:FieldReadback")
        expected = 300 * 2.718281828 ** -((bench.clock.now() - began) / 30)
        assert left == pytest.approx(expected, rel=0.05)
        await bench.pvs["Magnet:Stop"].write(1)  # cannot hold it
        with pytest.raises(ValueError, match="the coil is warm; needs .* s to cool the coil"):
            await bench.pvs["Magnet:Reset"].write(1)
        await bench.clock.sleep(900)
        assert (bench.lines.magnet_field_readback, bench.pvs["Magnet:Field"].value) == (0, 0)
        assert bench.pvs["Magnet:FieldReadback"].alarm.severity == 2
        with pytest.raises(ValueError, match="has quenched; needs Reset"):
            await bench.pvs["Magnet:Field"].write(10.0)
        await bench.pvs["Magnet:Reset"].write(1)
        await bench.put("Magnet:Field", 10.0)
        return bench.pvs["Magnet:FieldReadback"]

    after = asyncio.run(quench(Bench(speed=1000)))
    assert (after.value, after.alarm.severity) == (10.0, 0)


def test_temperature_overshoots_is_shown_late_and_rests_where_it_was_asked():
    bath = Bath(overshoot=0.05, stable_time=30, sensor_lag=1, dead_time=2, scale_error=0.01)

    async def warm(bench):
        await bench.pvs["Cryostat:Temperature"].write(10.0)
        seen, began = [], bench.clock.now()
        while bench.pvs["Cryostat:Temperature"].group.in_motion:
            await asyncio.sleep(0.001)
            seen.append(await bench.get("Cryostat:TemperatureReadback"))
        assert bench.clock.now() - began > 30
        assert max(seen) == pytest.approx(10 + 0.05 * 8.4, abs=0.05)
        assert bench.pvs["Cryostat:TemperatureReadback"].value == 10.0
        return bench.lines.cryostat_temperature_readback

    assert asyncio.run(warm(Bench(speed=200, cryostat=bath))) == pytest.approx(10.1)


def test_thermal_time_grows_with_temperature():
    bath = Bath(time_exponent=1.54)
    times = [bath.thermal_time(kelvin) for kelvin in (2, 10, 300)]
    assert times == pytest.approx([5, 60, 600], rel=0.02)


def test_thermometer_scatters_and_the_sample_does_not():
    async def look(bench):
        return [await bench.get("Cryostat:TemperatureMonitor") for _ in range(300)]

    bench = Bench(cryostat=Bath(sensor_noise=2e-3))
    shown = asyncio.run(look(bench))
    assert sum(shown) / 300 == pytest.approx(1.6, abs=1e-3) and max(shown) - min(shown) > 5e-3
    assert bench.lines.cryostat_temperature_readback == 1.6


def test_choice_put_by_number_is_kept_by_name_and_a_new_temperature_does_not_end_the_filling():
    async def fill(bench):
        await bench.pvs["Cryostat:Fill"].write(1)
        assert bench.pvs["Cryostat:Fill"].value == "Yes"
        await bench.put("Cryostat:Temperature", 1.7)
        before = await bench.get("Cryostat:HeliumLevel")
        await bench.clock.sleep(50)
        return await bench.get("Cryostat:HeliumLevel") - before

    assert asyncio.run(fill(Bench(speed=10))) == pytest.approx(5.0, rel=0.01)


def test_helium_boils_off_and_is_filled():
    async def boil(bench):
        await bench.clock.sleep(3600)
        low = await bench.get("Cryostat:HeliumLevel")
        await bench.put("Cryostat:Fill", "Yes")
        await bench.clock.sleep(600)
        await bench.pvs["Cryostat:Fill"].group.attend()
        return low, await bench.get("Cryostat:HeliumLevel"), bench.pvs["Cryostat:Fill"].value

    low, full, filling = asyncio.run(boil(Bench(cryostat=Bath(boil_off=10, boil_off_per_kelvin=1))))
    assert low == pytest.approx(80 - 11.6, abs=3)
    assert full == pytest.approx(100, abs=2) and filling == "No"


def test_power_follows_the_gain_until_it_is_levelled():
    async def tune(bench):
        await bench.put("Laser:Energy", 1.76)
        dim = bench.lines.laser_power_readback
        await bench.put("Laser:Level", 1)
        return dim, bench.lines.laser_power_readback

    dim, levelled = asyncio.run(tune(Bench(laser=Resonator(gain_width=0.05))))
    assert dim == pytest.approx(0.5 * 0.8147, rel=1e-3) and levelled == 0.5


def test_long_way_costs_the_mode_lock_which_comes_back():
    async def tune(bench):
        await bench.pvs["Laser:Energy"].write(1.75)
        without = bench.pvs["Laser:ModeLocked"].value, bench.lines.laser_power_readback
        await bench.put("Laser:Energy", 1.75)
        return without, (bench.pvs["Laser:ModeLocked"].value, bench.lines.laser_power_readback)

    without, after = asyncio.run(tune(Bench(laser=Resonator(unlocking_step=5.0))))
    assert without == ("No", 0.0) and after == ("Yes", 0.5)


def test_drift_is_on_the_monitor_alone():
    async def look(bench):
        await bench.clock.sleep(100)
        return await bench.get("Laser:PowerMonitor")

    bench = Bench(laser=Resonator(power_drift=0.01, drift_time=10))
    assert asyncio.run(look(bench)) != 0.5
    assert bench.lines.laser_power_readback == 0.5


def test_cable_ripples_and_the_level_has_an_end():
    source = Synthesizer(ripple=1.5, ripple_period=0.2, largest_power=16, roll_off=2)

    async def tune(bench):
        await bench.put("Rf:Power", 10.0)
        await bench.put("Rf:Frequency", 1.05)
        rippled = bench.lines.rf_power
        await bench.put("Rf:Frequency", 4.0)
        return rippled, bench.lines.rf_power, bench.pvs["Rf:CoilPower"].value

    rippled, capped, told = asyncio.run(tune(Bench(rf=source)))
    assert rippled == pytest.approx(11.5) and capped == told == pytest.approx(8.0)


def test_rf_settles_before_it_is_quiet():
    async def change(bench):
        await bench.pvs["Rf:Frequency"].write(1.5)
        return bench.pvs["Rf:Frequency"].group.quiet()

    assert -0.05 < asyncio.run(change(Bench(speed=1.0))) < -0.02


def test_number_that_is_none_is_invalid():
    async def write(bench):
        pv = bench.pvs["Cryostat:TemperatureReadback"]
        await pv.write(nan)
        bad = pv.alarm.severity
        await pv.write(1.6)
        return bad, pv.alarm.severity

    assert asyncio.run(write(Bench())) == (3, 0)
