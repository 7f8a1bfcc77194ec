"""The page of settings: ``python -m odmrlab.lab.explain.settings``."""

from pydantic_core import PydanticUndefined

from ..settings import Settings
from .plans import kind, one_line

HEAD = """\
# Settings

Written by `python -m odmrlab.lab.explain.settings`. They are environment variables; a value that cannot be is refused at the start, in one sentence.

| variable | kind | default | |
|---|---|---|---|
"""
OTHERS = """
Channel Access, where it is spoken, obeys the variables of EPICS, and these of ophyd and ours:

| variable | default | |
|---|---|---|
| `OPHYD_CONTROL_LAYER` | `caproto` | The client beneath ophyd: `caproto` or `pyepics` |
| `EPICS_CA_ADDR_LIST` | | Where instruments are looked for, `host:port` each |
| `EPICS_CA_AUTO_ADDR_LIST` | `YES` | Whether to look on the broadcast address too |
| `EPICS_CA_CONN_TMO` | `2` | Silence after which an IOC is taken for hung [s] |
| `TILED_PROFILES` | | Folder in which the profile of the catalogue is written |
"""
HOME = "odmrlab in the user's data folder"  # what platformdirs says differs from host to host


def table() -> str:
    """Return the page."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = HOME if field.default is PydanticUndefined else f"`{field.default}`"
        told = one_line(field.description or "")
        cells = [
            f"`ODMRLAB_{name.upper()}`",
            kind(field.annotation),
            default.replace("``", ""),
            told,
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return HEAD + "\n".join(rows) + "\n" + OTHERS


if __name__ == "__main__":
    print(table(), end="")
