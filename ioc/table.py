"""The table of all PVs, written from the code: ``python -m odmrlab.ioc.table``."""

from caproto import AccessRights, ChannelData, ChannelType

from .physics import Sample
from .rack import INSTRUMENTS, rack

HEAD = """\
# PVs

Written by `python -m odmrlab.ioc.table`. Every name has the prefix, `ODMR:` unless told otherwise. Time stamps are wall time, all
other times are laboratory time. `<Instrument>:Message` says why the last put was refused. `<Instrument>:Fault` is served with `--faults`
alone. Unless `--sealed` is given, the quantities of
the sample are served too, as `Sample:<Part>:<Quantity>`; `Sample:Name` is there always.
"""


def table() -> str:
    """Return the page: one table an instrument."""
    served = rack("", Sample(), sealed=True, faults=True)
    pages = [HEAD]
    for name in INSTRUMENTS:
        instrument = f"{name.capitalize()}:"
        rows = [row(pv, served[pv]) for pv in served if pv.startswith(instrument)]
        head = "| PV | unit | range | at start | meaning |\n|---|---|---|---|---|"
        pages.append("\n".join([f"## {name.capitalize()}\n", head, *rows]) + "\n")
    return "\n".join(pages)


def row(name: str, pv: ChannelData) -> str:
    """Return the line of one PV."""
    start = "" if pv.data_type == ChannelType.CHAR or pv.max_length > 1 else pv.value
    meaning = (pv.__doc__ or "").replace("|", "\\|")
    cells = [f"`{name}`", getattr(pv, "units", "") or "", reach(pv), str(start), meaning]
    return f"| {' | '.join(cells)} |"


def reach(pv: ChannelData) -> str:
    """Return what may be put: limits, names, or nothing."""
    writable = AccessRights.WRITE in pv.check_access("", "")
    if pv.data_type == ChannelType.ENUM:
        names = ", ".join(pv.enum_strings)
        return names if writable else f"read only: {names}"
    if not writable:
        return "read only"
    if pv.data_type == ChannelType.STRING:
        return "text"
    low, high = pv.lower_ctrl_limit, pv.upper_ctrl_limit
    return f"{low:g} to {high:g}" if low < high else ""


if __name__ == "__main__":
    print(table(), end="")
