"""The door in front of the manager: one address for each user group, in the manager's own protocol.

Stock clients notice no difference but better refusals. A request is of the group over whose address
it came, whatever it claims; an item is tried out before the manager hears of it; STOP goes through
always. Beside it the keeper watches.
"""

import asyncio
import json
import logging
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import uuid4

import zmq
import zmq.asyncio
from redis.exceptions import RedisError

from ..settings import Settings
from .client import Manager, SilentError
from .form import FormError, check_form, check_size, meta_parts
from .keeper import Keeper
from .keys import GROUPS, MANAGER, Keys
from .ledger import Presence
from .planner import Estimate, ItemError, Planner
from .rights import ADD, STOP, NotAllowedError, check_right
from .service import LOG_FORMAT, Ports, folder, keys
from .stored import Stored, connect

log = logging.getLogger("odmrlab.lab.queue.door")  # __name__ is __main__

LARGEST = 64_000_000  # bytes of a message, beyond which the connection is dropped
GROUP_NAMED = {*ADD, "plans_allowed", "devices_allowed"}  # requests that name the user group
ENDING = {"re_stop", "re_abort", "re_halt"}
PAUSE_TIME = 20.0  # s for a running plan to pause, before it is ended
PATIENCE = 10.0  # s for the manager to answer; the client decides how long it waits itself
QUICK = 1.5  # s, for the keeper, which asks again
STARTING_TIME = 1.5  # s that a client waits for the planner; stock ones give up after 2 s
BETWEEN_TIME = 1.5  # s that the way from one plan to the next may take
LOOK_PERIOD = 0.1  # s
RUNNING = ("executing_queue", "starting_queue")
CLOSING = {"environment_close": True, "environment_destroy": True, "environment_open": False}

Request = dict[str, Any]
Reply = dict[str, Any]


class Door:
    """Answers the requests of all groups.

    Args:
        settings: Of this laboratory.
        ports: Of its queue.
        stored: What Redis keeps.
    """

    def __init__(self, settings: Settings, ports: Ports, stored: Stored):
        made: Keys = keys(settings)
        self._keys, self._ports, self._stored = made, ports, stored
        self.manager = Manager(ports.manager, made.public(MANAGER), PATIENCE)
        self.closed = folder(settings) / "closed"
        self._thread = ThreadPoolExecutor(1, "planner")  # ophyd's limits, one item at a time
        self._planner = self._thread.submit(Planner, settings)
        self._tasks: set[asyncio.Task] = set()

    async def serve(self, group: str) -> None:
        """Answer what comes over the address of a group, for ever."""
        socket = zmq.asyncio.Context.instance().socket(zmq.ROUTER)
        socket.setsockopt(zmq.CURVE_SERVER, 1)
        socket.setsockopt(zmq.CURVE_SECRETKEY, self._keys.secret(group).encode())
        socket.setsockopt(zmq.MAXMSGSIZE, LARGEST)
        socket.bind(f"tcp://127.0.0.1:{getattr(self._ports, group)}")
        while True:
            *envelope, text = await socket.recv_multipart()
            self._begin(self._reply(socket, envelope, text, group))

    def _begin(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)  # the loop alone would not keep it
        task.add_done_callback(self._tasks.discard)

    async def _reply(
        self, socket: zmq.asyncio.Socket, envelope: list[bytes], text: bytes, group: str
    ) -> None:
        try:
            reply = await self.answer(text, group)
        except (FormError, NotAllowedError, ItemError, SilentError) as refusal:
            log.info("%s: %s", group, refusal)
            reply = {"success": False, "msg": str(refusal)}
        except Exception:  # outermost: a client that waits must hear something
            log.exception("%s: request failed", group)
            reply = {"success": False, "msg": "queue: the door failed; its log tells why"}
        await socket.send_multipart([*envelope, json.dumps(reply).encode()])

    async def answer(self, text: bytes, group: str) -> Reply:
        """Return the reply to a request of a group.

        Raises:
            FormError: It is no request, or too large.
            NotAllowedError: The group may not make it.
            ItemError: It holds an item that cannot be queued.
            SilentError: The manager does not answer.
        """
        check_size(text)
        try:
            request = json.loads(text)
            method, params = request["method"], request.get("params") or {}
            claimed = params.get("user_group")
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise FormError("queue: request is no JSON object with a method") from None
        check_right(group, method, claimed)
        if method in GROUP_NAMED:
            params["user_group"] = group
        if method in STOP:
            return await self._stop(method, params)
        if method in ADD:
            return await self._add(method, params, group)
        return await self._forward(method, params)

    async def _forward(self, method: str, params: Request) -> Reply:
        reply = await self.manager(method, **params)
        if method in CLOSING and reply.get("success"):
            self.closed.touch() if CLOSING[method] else self.closed.unlink(missing_ok=True)
        return reply

    async def _add(self, method: str, params: Request, group: str) -> Reply:
        """Try the items of a request out, and hand it on when all of them are fit."""
        items = params.get("items") if method == "queue_item_add_batch" else [params.get("item")]
        if not isinstance(items, list):
            raise FormError(f"queue: items={items!r:.100}; needs a list")
        estimates = [await self._tried(item, group) for item in items]
        user = str(params.get("user", ""))[:100]
        for item, estimate in zip(items, estimates, strict=True):
            stamp(item, user, group, estimate)
        reply = await self.manager(method, **params)
        if reply.get("success"):
            told = [one.told(item["name"]) for item, one in zip(items, estimates, strict=True)]
            reply["msg"] = "; ".join(told)
            reply["estimate"] = {
                "points": sum(one.points for one in estimates),
                "seconds": sum(one.seconds for one in estimates),
            }
        return reply

    async def _tried(self, item: Any, group: str) -> Estimate:
        check_form(item)
        planner = await self._ready_planner()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, partial(planner.check, item, group))

    async def _ready_planner(self) -> Planner:
        """Return the planner, which takes some seconds to find plans and devices."""
        try:
            return await asyncio.wait_for(
                asyncio.shield(asyncio.wrap_future(self._planner)), STARTING_TIME
            )
        except TimeoutError:
            raise SilentError("queue: the door is being started; needs some seconds") from None

    async def _stop(self, method: str, params: Request) -> Reply:
        """Hand on what stops a plan or the queue, past any lock, and past a plan that runs."""
        with suppress(RedisError):  # then the manager is asked without the key
            if key := await asyncio.to_thread(self._stored.lock_key):
                params["lock_key"] = key
        if method == "re_pause":
            return await self._paused(params)
        status = await self.manager("status") if method in ENDING else {}
        if status.get("manager_state") in RUNNING:
            reply = await self._paused(params | {"option": "immediate"})
            if reply.get("success"):
                self._begin(self._end_paused(method, params))
                reply["msg"] = f"queue: the plan is being paused; {method} follows"
            return reply
        return await self.manager(method, **params)

    async def _paused(self, params: Request) -> Reply:
        """Have the plan pause; between two plans, where the manager refuses, the next one."""
        deadline = time.monotonic() + BETWEEN_TIME
        while True:
            reply = await self.manager("re_pause", **params)
            state = (await self.manager("status"))["manager_state"]
            if reply.get("success") or state not in RUNNING or time.monotonic() > deadline:
                return reply
            await asyncio.sleep(LOOK_PERIOD)

    async def _end_paused(self, method: str, params: Request) -> None:
        """End a plan as soon as it has paused."""
        for _ in range(round(PAUSE_TIME / LOOK_PERIOD)):
            state = (await self.manager("status"))["manager_state"]
            if state == "paused":
                await self.manager(method, **params)
            if state in ("paused", "idle"):
                return
            await asyncio.sleep(LOOK_PERIOD)


def stamp(item: dict[str, Any], user: str, group: str, estimate: Estimate) -> None:
    """Write into an item's metadata, and so into its start documents, who queued it and what for."""
    parts = reversed(meta_parts(item))  # the first one wins, as in the queue server
    item["meta"] = {key: value for part in parts for key, value in part.items()}
    item["meta"]["queue"] = {
        "item": str(uuid4()),
        "user": user,
        "group": group,
        "foreseen": round(estimate.seconds, 1),
    }


async def work(settings: Settings, ports: Ports, stored: Stored) -> None:
    """Serve all groups and keep the queue, for ever."""
    door = Door(settings, ports, stored)
    eye = Manager(ports.manager, keys(settings).public(MANAGER), QUICK)
    keeper = Keeper(eye, stored, Presence(folder(settings)), door.closed)
    await asyncio.gather(keeper.run(), *(door.serve(group) for group in GROUPS))


def main(words: list[str]) -> None:
    """Run the door until a signal ends it."""
    logging.basicConfig(format=LOG_FORMAT)
    logging.getLogger("odmrlab").setLevel(logging.INFO)
    settings, ports = Settings(), Ports.parsed("door", words)
    ports.remember(folder(settings))
    with connect(settings, ports) as connection, suppress(KeyboardInterrupt):
        asyncio.run(work(settings, ports, Stored(connection, settings)))


if __name__ == "__main__":
    main(sys.argv[1:])
