"""Readings of a lock-in in this process, that the tests share."""

import asyncio

import numpy as np


def shots(pvs, count: int, settings: dict) -> np.ndarray:
    """Take readings in this process; rows of shot, x, y, errors, overload, unlocked, time, unsettled."""

    async def take():
        for name, value in settings.items():
            await pvs[name].write(value)
        rows = []
        for number in range(1, count + 1):
            await pvs["Lockin:Shot"].write(number)
            rows.append(list(pvs["Lockin:Reading"].value))
        return np.array(rows)

    return asyncio.run(take())


ON = {
    "Rf:Output": "On",
    "Laser:Shutter": "Open",
    "Laser:Power": 2.0,
    "Rf:ModulationFrequency": 1000.0,
}
