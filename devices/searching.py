"""Finds PVs that were lost as soon as their IOC is back, for the client that would be slow to.

libca looks for a lost PV after up to 10 s, and then ever more rarely. A new channel it looks for at
once. So here is knocked at the door of a server whose PVs are lost, and when it opens, each of them
gets a new channel beneath the same objects. caproto looks twice a second by itself.
"""

import ctypes
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

import ophyd
from epics import ca, dbr

PERIOD = 0.2  # s between two knocks
AGAIN = 0.6  # s for a new channel to connect before there is another, which has twice as long
KNOCK_TIME = 0.2  # s for a door to open
KEPT = 10.0  # s for which a channel that was replaced outlives whoever may still use it
_one_at_a_time = threading.Lock()


class Search:
    """Looks for the lost PVs of this process until it is closed, in a thread of its own."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._next: dict[str, tuple[float, float]] = {}  # when, and how long after the last, by PV
        self._replaced: deque[tuple[float, dbr.chid_t]] = deque()
        # the client's own kind of thread: libca binds every thread to a context
        kind = ophyd.get_cl().thread_class
        self._thread = kind(target=self._run, daemon=True, name="search")
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(PERIOD):
            with _one_at_a_time:
                self._look()
            now = time.monotonic()
            while self._replaced and now - self._replaced[0][0] > KEPT:
                clear(self._replaced.popleft()[1])
        while self._replaced:
            clear(self._replaced.popleft()[1])

    def _look(self) -> None:
        """Give every PV a new channel that is lost behind a door that opens."""
        by_host: dict[str, list[Any]] = {}
        for entry in lost():
            by_host.setdefault(host(entry), []).append(entry)
        names = {entry.pvname for entries in by_host.values() for entry in entries}
        self._next = {name: due for name, due in self._next.items() if name in names}
        for where, entries in by_host.items():
            now = time.monotonic()
            due = [one for one in entries if now >= self._next.get(one.pvname, (0.0, 0.0))[0]]
            if due and opens(where):
                for entry in due:
                    pause = 2 * self._next.get(entry.pvname, (0.0, AGAIN / 2))[1]
                    self._next[entry.pvname] = (now + pause, pause)
                    self._replaced.append((now, renew(entry)))
                ca.flush_io()


def lost() -> Iterator[Any]:
    """Yield what the client knows of each PV that was there and is not."""
    for entry in list(ca._cache[ca.current_context()].values()):  # noqa: SLF001
        if getattr(entry, "chid", None) is not None and not entry.conn and host(entry):
            yield entry


def owners(entry: Any) -> list[Any]:
    """Return the objects of pyepics that use a channel: its connection callbacks are theirs."""
    found = (getattr(callback, "__self__", None) for callback in entry.callbacks)
    return [owner for owner in found if owner is not None]


def host(entry: Any) -> str:
    """Return where a PV was served last, host:port; empty when it never was."""
    return next((where for pv in owners(entry) if (where := pv._args.get("host"))), "")  # noqa: SLF001


def opens(where: str) -> bool:
    """Whether a server listens there."""
    name, _, port = where.rpartition(":")
    try:
        socket.create_connection((name, int(port)), KNOCK_TIME).close()
    except (OSError, ValueError):
        return False
    return True


def renew(entry: Any) -> dbr.chid_t:
    """Put a new channel in place of a lost one; returns that, which nobody hears any more."""
    for pv in owners(entry):
        pv._clear_auto_monitor_subscription()  # noqa: SLF001  made anew when it connects
    made = dbr.chid_t()
    with entry.lock:
        replaced = entry.chid
        ca._chid_cache[replaced.value] = ca._CacheItem(replaced, entry.pvname)  # noqa: SLF001
        name = entry.pvname.encode()
        ca.PySEVCHK(
            "create_channel",
            ca.libca.ca_create_channel(name, ca._CB_CONNECT, 0, 0, ctypes.byref(made)),  # noqa: SLF001
        )
        entry.chid = made
        ca._chid_cache[made.value] = entry  # noqa: SLF001
        for pv in owners(entry):
            pv.chid = pv._args["chid"] = made  # noqa: SLF001
    ca.libca.ca_replace_access_rights_event(made, ca._CB_ACCESS)  # noqa: SLF001
    return replaced


def clear(channel: dbr.chid_t) -> None:
    """Give back a channel that was replaced."""
    ca.libca.ca_clear_channel(channel)
    ca._chid_cache.pop(channel.value, None)  # noqa: SLF001
