"""The instruments around one sample: all from one process, or one alone."""

from collections.abc import Sequence

from caproto import ChannelData

from .clock import LaboratoryClock
from .cryostat import Cryostat
from .instrument import Instrument
from .laser import Laser
from .lockin import Lockin
from .magnet import Magnet
from .physics import Bench, Sample
from .rf import Rf
from .truth import truth
from .upstream import SameProcess, over_the_wire

UPSTREAM = {"magnet": Magnet, "rf": Rf, "laser": Laser, "cryostat": Cryostat}
INSTRUMENTS = (*UPSTREAM, "lockin")


def rack(
    prefix: str,
    sample: Sample,
    *,
    names: Sequence[str] = INSTRUMENTS,
    speed: float = 1.0,
    seed: int | None = None,
    sealed: bool = False,
) -> dict[str, ChannelData]:
    """Return the PVs of the named instruments, by full PV name.

    Args:
        prefix: Of every PV.
        sample: Seen by the lock-in.
        names: Instruments to serve. A lock-in without the four others reads them over the wire.
        speed: Laboratory seconds per second.
        seed: Of the noise; None draws one.
        sealed: Whether to keep the truth about the sample to oneself.
    """
    bench, clock = Bench(), LaboratoryClock(speed)
    here: list[Instrument] = [
        kind(f"{prefix}{name.capitalize()}:", name=name, bench=bench, clock=clock)
        for name, kind in UPSTREAM.items()
        if name in names
    ]
    pvs: dict[str, ChannelData] = {}
    if "lockin" in names:
        upstream = SameProcess(bench, here) if len(here) == 4 else over_the_wire(prefix)
        options = {"sample": sample, "upstream": upstream, "seed": seed}
        here.append(Lockin(f"{prefix}Lockin:", name="lockin", bench=bench, clock=clock, **options))
        pvs |= truth(prefix, sample, sealed)
    for instrument in here:
        pvs |= instrument.pvdb
    return pvs
