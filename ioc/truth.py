"""The hidden truth of the sample as PVs, for those who want to see it."""

from dataclasses import fields

from caproto import AccessRights, ChannelData, ChannelDouble, ChannelString

from .physics import Sample
from .physics.quantity import Quantities


class _ReadOnly:
    """A channel that no client may write."""

    def check_access(self, hostname, username):
        return AccessRights.READ


class Number(_ReadOnly, ChannelDouble):
    """A number of the truth."""


class Text(_ReadOnly, ChannelString):
    """A name of the truth."""


def truth(prefix: str, sample: Sample, sealed: bool) -> dict[str, ChannelData]:
    """Return the PVs of the sample: its name alone when ``sealed``, else every quantity too.

    The electron's g factor is ``<prefix>Sample:Electron:G``.
    """
    pvs: dict[str, ChannelData] = {f"{prefix}Sample:Name": Text(value=sample.name)}
    if sealed:
        return pvs
    for part in fields(sample):
        owner = getattr(sample, part.name)
        if not isinstance(owner, Quantities):
            continue
        for item in fields(owner):
            words = "".join(word.capitalize() for word in item.name.split("_"))
            pvs[f"{prefix}Sample:{part.name.capitalize()}:{words}"] = Number(
                value=getattr(owner, item.name), units=item.metadata["unit"], precision=6
            )
    return pvs
