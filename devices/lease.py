"""The sole right to put to instruments, kept for as long as this process lives."""

import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from uuid import uuid4

import ophyd
from ophyd.utils import DisconnectedError, ReadOnlyError

from .instrument import Instrument
from .signals import ANSWER_TIME, PUT_TIME, RefusedError

RENEWALS = 3  # in one lease time


class OwnedError(RuntimeError):
    """Another client holds the lease of an instrument."""


class Lease:
    """Leases of some instruments, taken together and renewed from a thread of its own.

    When this process ends, however it ends, nobody renews them: the IOCs then go safe by themselves
    and are free again. An instrument that is lost gets its token as soon as it is back.

    Args:
        instruments: To be leased.

    Raises:
        OwnedError: Naming who holds one of them; then none is taken.
    """

    def __init__(self, instruments: Iterable[Instrument]):
        self._instruments = list(instruments)
        self._token = f"{os.getpid()}.{uuid4().hex[:12]}"
        self._ended = threading.Event()
        taken = []
        try:
            for instrument in self._instruments:
                self._take(instrument)
                taken.append(instrument)
        except OwnedError:
            give_back(taken)
            raise
        self._period = min(item.lease_time.get() for item in self._instruments) / RENEWALS
        # the client's own kind of thread: libca binds every thread to a context
        self._thread = ophyd.get_cl().thread_class(target=self._keep, daemon=True, name="lease")
        self._thread.start()

    def _take(self, instrument: Instrument) -> None:
        try:
            instrument.lease.put_and_check(self._token)
        except RefusedError as error:
            owner = instrument.lease_owner.get() or "another client, until now"
            time = instrument.lease_time.get()
            raise OwnedError(
                f"{instrument.name}: owned by {owner}; needs that session to be closed, "
                f"or {time:g} s when it is dead"
            ) from error

    def renew(self) -> None:
        """Say once that this process lives; waits for no answer."""
        for instrument in self._instruments:
            if instrument.lease.connected:
                # lost this moment, or libca does not know yet that it is back: then next time
                with suppress(DisconnectedError, TimeoutError, ReadOnlyError):
                    instrument.lease.put(self._token, use_complete=False)

    def _keep(self) -> None:
        while not self._ended.wait(self._period):
            self.renew()

    def close(self) -> None:
        """Give the leases back; everything stays as it is."""
        self._ended.set()
        self._thread.join()
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
