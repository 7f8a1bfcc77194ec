"""What has to be true before a laboratory is ready, seen from outside; each look costs little."""

from collections.abc import Callable
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

from ..settings import Settings
from .keys import catalogue_key
from .laboratory import INSTRUMENTS, Laboratory
from .ports import LOOPBACK
from .search import search
from .supervisor import states

ANSWER_TIME = 3.0  # s

Look = Callable[[Settings, Laboratory], str]


class NotYetError(RuntimeError):
    """Something is not there; the text says what, and what it needs."""


def all_run(settings: Settings, laboratory: Laboratory) -> str:
    """Every service runs."""
    found = states(settings)
    if waiting := [state.name for state in found if state.word != "RUNNING"]:
        raise NotYetError(
            f"services: {', '.join(waiting)} not running; needs a look into their logs"
        )
    return f"{len(found)} running"


def instruments_answer(settings: Settings, laboratory: Laboratory) -> str:
    """Each instrument answers, and there is only one of it."""
    names = [f"{laboratory.prefix}{name.capitalize()}:BootId" for name in INSTRUMENTS]
    try:
        found = search(names, laboratory.addresses, ANSWER_TIME)
    except OSError as error:
        raise NotYetError(
            f"instruments: {laboratory.addresses} cannot be asked ({error.strerror}); "
            "needs host:port of each IOC"
        ) from error
    if silent := [name for name, servers in found.items() if not servers]:
        raise NotYetError(
            f"instruments: no answer from {', '.join(silent)} at {laboratory.addresses}; "
            "needs their IOCs to run, and that prefix"
        )
    for name, servers in found.items():
        if len(servers) > 1:
            raise NotYetError(
                f"instruments: {name} is served by {' and by '.join(sorted(servers))}; "
                "needs one of them to be ended"
            )
    return f"{len(found)} answer, each once"


def catalogue_answers(settings: Settings, laboratory: Laboratory) -> str:
    """The catalogue is served, to those who have the key."""
    headers = {"Authorization": f"Apikey {catalogue_key(settings)}"}
    connection = HTTPConnection(LOOPBACK, laboratory.ports["catalogue"], timeout=ANSWER_TIME)
    try:
        with closing(connection):
            connection.request("GET", "/api/v1/metadata/", headers=headers)
            answer = connection.getresponse()
    except (OSError, HTTPException) as error:
        raise NotYetError(
            f"catalogue: {laboratory.web} does not answer ({type(error).__name__}); "
            "needs a look into its log"
        ) from error
    if answer.status != HTTPStatus.OK:
        raise NotYetError(
            f"catalogue: {laboratory.web} answers {answer.status} {answer.reason}; "
            "needs the key that it was started with, in the folder 'keys'"
        )
    return laboratory.web
