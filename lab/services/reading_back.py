"""A run of one point as it comes out of the catalogue's server, compared with the journal."""

from collections.abc import Iterable, Iterator
from math import isfinite

from ..record.journal import SHIPPED, SUFFIX, Document, read
from ..settings import Settings
from .keys import catalogue_key
from .laboratory import Laboratory
from .lookout import NotYetError
from .supervisor import last_line

COLUMN = "lockin_x"  # [V]


def read_back(settings: Settings, laboratory: Laboratory, uid: str) -> float:
    """Return the value of a run of one point, the same in the catalogue as in the journal [V].

    Raises:
        NotYetError: When it is not there, or another one.
    """
    journal = settings.journal / SHIPPED / f"{uid}{SUFFIX}"
    if not journal.exists():
        raise NotYetError(
            f"catalogue: run {uid} is not in it; "
            f"needs the shipper at work, which says: {last_line(settings, 'shipper')}"
        )
    # late: it takes a second to load
    from tiled.client import from_uri

    kept = list(points(read(journal)))
    client = from_uri(f"{laboratory.web}/api/v1", api_key=catalogue_key(settings))
    with client.context:
        came = client[uid]["primary"].read()[COLUMN].values.tolist()
    if len(kept) != 1 or came != kept or not isfinite(kept[0]):
        raise NotYetError(f"catalogue: run {uid} came back as {came}; needs {kept}, one number")
    return kept[0]


def points(documents: Iterable[Document]) -> Iterator[float]:
    """Yield the values of the primary stream of a run."""
    primary = ""
    for name, document in documents:
        if name == "descriptor" and document["name"] == "primary":
            primary = document["uid"]
        if name == "event" and document["descriptor"] == primary:
            yield document["data"][COLUMN]
