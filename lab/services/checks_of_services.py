"""Checks of services that run."""

import os
from collections.abc import Iterator
from contextlib import closing

from ..queue.service import redis_url
from ..settings import Settings
from . import lookout, supervisor
from .doctor import check
from .laboratory import INSTRUMENTS, Laboratory
from .lookout import NotYetError
from .service import queue_ports


@check("up")
def services(settings: Settings, laboratory: Laboratory) -> Iterator[str]:
    """Every service runs."""
    for state in supervisor.states(settings):
        if state.word != "RUNNING":
            yield (
                f"{state.name}: {state.word} ({supervisor.last_line(settings, state.name)}); "
                f"needs that to be mended, it is tried again; see {supervisor.log_of(settings, state.name)}"
            )


@check("start")
def instruments_elsewhere(settings: Settings, laboratory: Laboratory) -> Iterator[str]:
    """IOCs of others answer."""
    if laboratory.instruments:
        yield from seen(lookout.instruments_answer, settings, laboratory)


@check("up")
def instruments(settings: Settings, laboratory: Laboratory) -> Iterator[str]:
    """Each instrument answers, and there is only one of it."""
    if laboratory.instruments:
        return
    yield from seen(lookout.instruments_answer, settings, laboratory)


@check("up")
def catalogue_server(settings: Settings, laboratory: Laboratory) -> Iterator[str]:
    """The catalogue is served."""
    yield from seen(lookout.catalogue_answers, settings, laboratory)


@check("up")
def redis(settings: Settings, laboratory: Laboratory) -> Iterator[str]:
    """Redis answers."""
    if not laboratory.queue:
        return
    from redis import Redis, RedisError

    ports = queue_ports(laboratory)
    try:
        with closing(Redis.from_url(redis_url(settings, ports), socket_timeout=2)) as client:
            client.ping()
    except RedisError as error:
        yield (
            f"redis: port {ports.redis} does not answer ({str(error).splitlines()[0]}); "
            f"needs a look into {supervisor.log_of(settings, 'redis')}"
        )


@check("up")
def plans_allowed(settings: Settings, laboratory: Laboratory) -> Iterator[str]:
    """The queue takes plans."""
    if not laboratory.queue:
        return
    from . import queued

    try:
        queued.plans_are_allowed(settings, laboratory)
    except (NotYetError, queued.HopelessError) as error:
        yield str(error)


@check("up")
def addresses(settings: Settings, laboratory: Laboratory) -> Iterator[str]:
    """Clients of this shell look where the instruments are."""
    told = os.environ.get("EPICS_CA_ADDR_LIST")
    if told is not None and set(told.split()) != set(laboratory.addresses.split()):
        yield (
            f"EPICS_CA_ADDR_LIST: {told!r} in this shell; needs {laboratory.addresses!r}: "
            'eval "$(odmrlab status --env)"'
        )


@check("up", note=True)
def leases(settings: Settings, laboratory: Laboratory) -> Iterator[str]:
    """Nobody else holds the instruments."""
    from caproto import CaprotoError
    from caproto.sync.client import read

    ours = {str(process.pid) for process in supervisor.marked(settings)}  # the queue's worker
    os.environ |= laboratory.environment(settings)
    for name in INSTRUMENTS:
        try:
            pv = f"{laboratory.prefix}{name.capitalize()}:LeaseOwner"
            owner = b"".join(read(pv, repeater=False, timeout=lookout.ANSWER_TIME).data).decode()
        except (CaprotoError, OSError):
            continue  # another check tells that it is silent
        _, pid, *_ = owner.split() or ("", "")
        if owner and pid not in ours:
            yield f"{name}: owned by {owner}; others need that session to be closed"


def seen(look: lookout.Look, settings: Settings, laboratory: Laboratory) -> Iterator[str]:
    """Yield what a look for readiness misses."""
    try:
        look(settings, laboratory)
    except NotYetError as error:
        yield str(error)
