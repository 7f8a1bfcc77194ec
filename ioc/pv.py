"""How a PV is declared: one line with its unit, limits and meaning; its name follows the attribute."""

from typing import Any

from caproto import ChannelType
from caproto.server import pvproperty


class PV(pvproperty):
    """A PV named like its attribute in CamelCase, with an alarm of its own.

    Without an alarm group of its own, a good write to one PV would clear the alarm of all others.
    """

    def __set_name__(self, owner, name: str):
        if not self.attr_name:
            suffix = "".join(word.capitalize() for word in name.split("_"))
            self.pvspec = self.pvspec._replace(name=suffix, alarm_group=suffix)
        super().__set_name__(owner, name)


def setting(value: float, unit: str, low: float, high: float, doc: str, **more: Any) -> PV:
    """Declare a writable number; a put outside low..high is refused."""
    limits = {"lower_ctrl_limit": low, "upper_ctrl_limit": high}
    shown = {"lower_disp_limit": low, "upper_disp_limit": high}
    if isinstance(value, float):
        more.setdefault("precision", 6)
    return PV(value=value, units=unit, doc=doc, **limits, **shown, **more)


def readback(value: float, unit: str, doc: str, **more: Any) -> PV:
    """Declare a number that only the instrument changes."""
    if isinstance(value, float):
        more.setdefault("precision", 6)
    return PV(value=value, units=unit, doc=doc, read_only=True, **more)


def choice(names: tuple[str, ...], doc: str, **more: Any) -> PV:
    """Declare a choice; unless told otherwise it starts with the first name."""
    more.setdefault("value", names[0])
    return PV(enum_strings=list(names), dtype=ChannelType.ENUM, doc=doc, **more)


def flag(doc: str, **more: Any) -> PV:
    """Declare a state of the instrument: No or Yes."""
    return choice(("No", "Yes"), doc, read_only=True, **more)


def text(doc: str, length: int = 40, read_only: bool = True) -> PV:
    """Declare a text; beyond 40 characters, a char waveform."""
    long = length > 40
    kind = ChannelType.CHAR if long else ChannelType.STRING
    most = length if long else 1
    return PV(value="", dtype=kind, max_length=most, doc=doc, read_only=read_only)
