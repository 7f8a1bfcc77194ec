"""The sole right to put to instruments, kept for as long as this process lives."""

import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from uuid import uuid4

import ophyd
from ophyd.utils import DisconnectedError, ReadOnlyError

from .connection import NotConnectedError
from .instrument import Instrument
from .signals import ANSWER_TIME, PUT_TIME, RefusedError

RENEWALS = 3  # in one lease time


class OwnedError(RuntimeError):
    """Another client holds the lease of an instrument."""


class Lease:
    """Leases of some instruments, taken together, each renewed from a thread of its own.

    So one that is lost does not cost the others their leases. When this process ends, however it
    ends, nobody renews them: the IOCs then go safe by themselves and are free again. An instrument
    that is lost gets its token as soon as it is back: its IOC knows the owner by the circuit, and
    a new circuit by the token.

    Args:
        instruments: To be leased.

    Raises:
        OwnedError: Naming who holds one of them; then none is taken.
        NotConnectedError: One of them is lost; then none is taken either.

    Attributes:
        owners: What each of them said of its owner when it was taken, by name; it says when.
    """

    def __init__(self, instruments: Iterable[Instrument]):
        self._instruments = list(instruments)
        self._token = f"{os.getpid()}.{uuid4().hex[:12]}"
        self._ended = threading.Event()
        self.owners: dict[str, str] = {}
        taken = []
        try:
            for instrument in self._instruments:
                self._take(instrument)
                taken.append(instrument)
        except (OwnedError, NotConnectedError):
            give_back(taken)
            raise
        self._period = min(item.lease_time.get() for item in self._instruments) / RENEWALS
        # the client's own kind of thread: libca binds every thread to a context
        kind = ophyd.get_cl().thread_class
        self._threads = [
            kind(target=self._keep, args=(item,), daemon=True, name=f"lease of {item.name}")
            for item in self._instruments
        ]
        for thread in self._threads:
            thread.start()

    def _take(self, instrument: Instrument) -> None:
        try:
            instrument.lease.put_and_check(self._token)
            self.owners[instrument.name] = instrument.lease_owner.get()
        except RefusedError as error:
            owner = instrument.lease_owner.get() or "another client, until now"
            time = instrument.lease_time.get()
            raise OwnedError(
                f"{instrument.name}: owned by {owner}; needs that session to be closed, "
                f"or {time:g} s when it is dead"
            ) from error
        except (DisconnectedError, TimeoutError) as error:
            raise NotConnectedError(
                f"{instrument.name}: {instrument.lease.pvname} is lost; needs its IOC to run"
            ) from error

    def renew(self) -> None:
        """Say once that this process lives; waits for no answer."""
        for instrument in self._instruments:
            self._renew(instrument)

    def _renew(self, instrument: Instrument) -> None:
        if instrument.lease.connected:
            # lost this moment, or libca does not know yet that it is back: then next time
            with suppress(DisconnectedError, TimeoutError, ReadOnlyError):
                instrument.lease.put(self._token, use_complete=False)

    def _keep(self, instrument: Instrument) -> None:
        back = instrument.lease.back
        while True:
            back.clear()
            if self._ended.is_set():
                return
            self._renew(instrument)  # the first may have been taken a while ago
            back.wait(self._period)

    def close(self) -> None:
        """Give the leases back; everything stays as it is."""
        self._ended.set()
        for instrument in self._instruments:
            instrument.lease.back.set()
        for thread in self._threads:
            thread.join()
        self.renew()  # on a new circuit, only the token tells whose the lease is
        give_back(self._instruments)


def give_back(instruments: Iterable[Instrument]) -> None:
    """Give back the leases of all instruments that answer."""
    statuses = []
    for instrument in instruments:
        with suppress(DisconnectedError, TimeoutError):
            statuses.append(instrument.lease.set(""))
    for status in statuses:
        with suppress(TimeoutError):
            status.exception(PUT_TIME + ANSWER_TIME)  # a lease that has lapsed is refused
