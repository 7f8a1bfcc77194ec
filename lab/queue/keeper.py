"""The keeper: notices what the manager does not, and has it working again without a person."""

import asyncio
import logging
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from redis.exceptions import RedisError

from .client import Manager, SilentError
from .ledger import COMPLETED, STOPPED, Fate, Presence
from .stored import Stored

log = logging.getLogger(__name__)

LOOK_PERIOD = 0.5  # s
LEASE_TIME = 3.0  # s for which the instruments are still a dead worker's
STRAY_LOOKS = 6  # that a worker may take to leave
STUCK_TIME = 3.0  # s that the manager waits for a plan which no longer runs
OPENING_PAUSES = (0.5, 2.0, 5.0, 15.0)  # s before the environment is tried again
IN_BETWEEN = {"initializing", "creating_environment", "closing_environment"}
IN_BETWEEN |= {"destroying_environment"}
WAITING = {"executing_queue", "starting_queue", "paused"}
IDLE_ENGINE = {"idle", None}


class RefusedError(RuntimeError):
    """The manager does not do what the keeper asks for."""


class Keeper:
    """Watches worker, manager and Redis.

    A dead worker is noticed by the lock that it held; a manager that waits for ever, by its waiting
    while the RunEngine rests; a Redis that was restarted, by its identity. The item that ran gets
    its true end from the worker's own record, and what goes on with it is put first in the queue.

    Args:
        manager: The manager.
        stored: What Redis keeps.
        presence: Of the worker.
        closed: File that is there while a person wants the environment closed.
    """

    def __init__(self, manager: Manager, stored: Stored, presence: Presence, closed: Path):
        self._manager, self._stored = manager, stored
        self._presence, self._closed = presence, closed
        self._identity = ""
        self._waiting_since: tuple[str | None, float] = (None, 0.0)
        self._failures, self._next_opening = 0, 0.0
        self._stray_looks = 0
        self._go_on: bool | None = None  # whether the queue is to be started again; once decided

    async def run(self) -> None:
        """Watch for ever."""
        told = ""
        while True:
            try:
                await self.look()
                told = ""
            except (SilentError, RefusedError, RedisError) as trouble:
                if str(trouble) != told:  # once, however long it lasts
                    log.warning("%s", trouble)
                told = str(trouble)
            except Exception:  # outermost: nobody else would watch
                log.exception("queue: the keeper failed, and goes on")
            await asyncio.sleep(LOOK_PERIOD)

    async def look(self) -> None:
        """Look once at everything, and mend what is wrong.

        Raises:
            SilentError: The manager does not answer.
            RefusedError: It does not do what it is asked for.
            RedisError: Redis does not answer.
        """
        await self._after_redis()
        status = await self._manager("status")
        if status["manager_state"] in IN_BETWEEN:
            return
        there = status["worker_environment_exists"]
        if there and not await asyncio.to_thread(self._presence.held):
            await self._recover("the worker is dead", status)
        elif self._is_stuck(status):
            await self._recover("the manager waits for a plan that has ended", status)
        elif not there:
            await self._open()
        elif status["manager_state"] == "idle" and await asyncio.to_thread(self._stored.halted):
            await self._recover("halted: the end of its worker makes the bench safe", status)
        else:
            await self._resume_queue(status)

    async def _after_redis(self) -> None:
        """Have the manager drop connections to a Redis that is no more, before it needs one."""
        identity = await asyncio.to_thread(self._stored.identity)
        if identity == self._identity:
            return
        if self._identity:
            log.warning("queue: Redis was started anew")
            while not (await self._manager("queue_get"))["success"]:
                await asyncio.sleep(LOOK_PERIOD)
        self._identity = identity

    def _is_stuck(self, status: dict[str, Any]) -> bool:
        waiting = status["manager_state"] in WAITING and status["re_state"] in IDLE_ENGINE
        item = status["running_item_uid"] or "none" if waiting else None
        if item != self._waiting_since[0]:
            self._waiting_since = (item, time.monotonic())
        return item is not None and time.monotonic() - self._waiting_since[1] > STUCK_TIME

    async def _recover(self, why: str, status: dict[str, Any]) -> None:
        """Give the running item its true end, and have the manager start with a new worker."""
        log.error("queue: %s", why)
        self._waiting_since = (None, 0.0)
        if item := await asyncio.to_thread(self._stored.running):
            fate = await asyncio.to_thread(self._stored.fate, item)
            log.error("queue: %s %s %s", item["name"], fate.status, fate.reason)
            self._go_on = fate.status in (COMPLETED, STOPPED)
            await self._end(item, fate)
        elif self._go_on is None:  # it lost Redis between two items
            self._go_on = status["manager_state"] in WAITING
        if not self._go_on:
            await self._forced("queue_autostart", enable=False)
        await self._forced("environment_destroy")
        self._failures, self._next_opening = 0, time.monotonic() + LEASE_TIME

    async def _end(self, item: dict[str, Any], fate: Fate) -> None:
        """Move the running item to the history, and queue what goes on with it."""
        try:
            if again := await asyncio.to_thread(self._stored.replacement, item, fate):
                await self._first_in_queue(again)
        except RefusedError as refusal:
            log.error("%s; the manager queues the item as it was", refusal)  # when it destroys
        else:
            await asyncio.to_thread(self._stored.end, item, fate)
            await self._tell_of_a_new_history()

    async def _tell_of_a_new_history(self) -> None:
        """Have the manager change the history, too: only then do clients ask for it anew."""
        size = await asyncio.to_thread(self._stored.repeat_oldest)
        await self._forced("history_clear", size=size)

    async def _first_in_queue(self, item: dict[str, Any]) -> None:
        """Put an item first, unless an earlier attempt has done so."""
        queued = (await self._manager("queue_get"))["items"]
        same = ("name", "args", "kwargs", "meta")
        if queued and [queued[0].get(key) for key in same] == [item.get(key) for key in same]:
            return
        asked = {"user": item["user"], "user_group": item["user_group"], "pos": "front"}
        await self._forced("queue_item_add", item=item, **asked)

    async def _open(self) -> None:
        if self._closed.exists() or time.monotonic() < self._next_opening:
            return
        if await asyncio.to_thread(self._presence.held):
            await self._end_stray()
            return
        self._stray_looks = 0
        pause = OPENING_PAUSES[min(self._failures, len(OPENING_PAUSES) - 1)]
        self._failures, self._next_opening = self._failures + 1, time.monotonic() + pause
        await self._forced("environment_open")

    async def _end_stray(self) -> None:
        """End a worker that the manager knows nothing of: it gave up waiting for its start."""
        self._stray_looks += 1
        if self._stray_looks > STRAY_LOOKS:
            log.error("queue: a worker lives that the manager does not know; killed")
            with suppress(ProcessLookupError):
                self._presence.signal(signal.SIGKILL)

    async def _resume_queue(self, status: dict[str, Any]) -> None:
        """Start the queue again when nothing but the manager had failed."""
        self._failures, go_on, self._go_on = 0, self._go_on, None
        if go_on and status["manager_state"] == "idle" and status["items_in_queue"]:
            await self._forced("queue_start")

    async def _forced(self, method: str, **params: Any) -> None:
        """Have the manager do something, locked or not.

        Raises:
            RefusedError: When it does not.
        """
        if key := await asyncio.to_thread(self._stored.lock_key):
            params["lock_key"] = key
        reply = await self._manager(method, **params)
        if not reply.get("success"):
            raise RefusedError(f"queue: {method}: {reply.get('msg')}")
