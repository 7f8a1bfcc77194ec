"""The instruments around one sample: all from one process, or one alone."""

from collections.abc import Mapping, Sequence

from caproto import ChannelData

from .clock import LaboratoryClock
from .cryostat import Cryostat
from .faults import Fault
from .instrument import Instrument
from .laser import Laser
from .lockin import Lockin
from .magnet import Magnet
from .physics import Bench, Sample
from .physics.quantity import Quantities
from .rf import Rf
from .truth import truth
from .upstream import SameProcess, over_the_wire, pv_name

UPSTREAM = {"magnet": Magnet, "rf": Rf, "laser": Laser, "cryostat": Cryostat}
KINDS: dict[str, type[Instrument]] = {**UPSTREAM, "lockin": Lockin}
INSTRUMENTS = tuple(KINDS)


def rack(
    prefix: str,
    sample: Sample,
    *,
    names: Sequence[str] = INSTRUMENTS,
    speed: float = 1.0,
    seed: int | None = None,
    sealed: bool = False,
    characters: Mapping[str, Quantities] | None = None,
    faults: bool = False,
) -> dict[str, ChannelData]:
    """Return the PVs of the named instruments, by full PV name.

    Args:
        prefix: Of every PV.
        sample: Seen by the lock-in.
        names: Instruments to serve. A lock-in without the four others reads them over the wire.
        speed: Laboratory seconds per second.
        seed: Of the noise; None draws one.
        sealed: Whether to keep the truth about the sample to oneself.
        characters: Imperfections by instrument; the others are ideal.
        faults: Whether to serve the PVs that make instruments fail.
    """
    shared: dict = {"bench": Bench(), "clock": LaboratoryClock(speed), "seed": seed}

    def make(name: str, **more) -> Instrument:
        more |= shared | {"name": name, "character": (characters or {}).get(name)}
        return KINDS[name](pv_name(prefix, name), **more)

    here = [make(name) for name in UPSTREAM if name in names]
    pvs = {}
    if "lockin" in names:
        together = len(here) == len(UPSTREAM)
        upstream = SameProcess(shared["bench"], here) if together else over_the_wire(prefix, seen())
        here.append(make("lockin", sample=sample, upstream=upstream))
        pvs = truth(prefix, sample, sealed)
    for instrument in here:
        pvs |= instrument.pvdb
        pvs |= {f"{instrument.prefix}Fault": Fault(instrument)} if faults else {}
    return pvs


def seen() -> dict[str, str]:
    """Return the bench lines that the sample sees differently, and what tells how."""
    return {
        f"{name}_{attribute}": f"{name}_{told}"
        for name, kind in UPSTREAM.items()
        for attribute, told in kind.sample_sees.items()
    }
