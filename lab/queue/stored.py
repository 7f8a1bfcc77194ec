"""What Redis keeps for the manager: looked through, mended, and told the truth about dead items."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import redis
from redis.exceptions import BusyLoadingError

from ...plans import ResumeError
from ..record.recorded import recorded
from ..settings import Settings
from .ledger import COMPLETED, HALTED, INTERRUPTED, STOPPED, Fate, Ledger
from .service import Ports, folder, redis_url

log = logging.getLogger(__name__)

PREFIX = "qs_default_"  # of the stock manager's keys
QUEUE, HISTORY, RUNNING = (PREFIX + name for name in ("plan_queue", "plan_history", "running_plan"))
LISTS = (QUEUE, HISTORY)
LOCK = PREFIX + "lock_info"
QUARANTINE = PREFIX + "quarantine"
NEEDED = {"item_uid", "item_type", "name"}  # of an item
LOST = "the worker's process died"
ENDED = "the worker was ended by a signal, its plan aborted in order"
GIVEN_UP = ("aborted", HALTED)
ANSWER_TIME = 2.0  # s
LOOK_PERIOD = 0.2  # s

Item = dict[str, Any]


def connect(settings: Settings, ports: Ports) -> redis.Redis:
    """Return a connection to the Redis of a laboratory, which is made when it is used."""
    url = redis_url(settings, ports)
    return redis.Redis.from_url(url, decode_responses=True, socket_timeout=ANSWER_TIME)


def wait_for(connection: redis.Redis) -> None:
    """Wait until Redis answers and has loaded its data."""
    told = False
    while True:
        try:
            connection.ping()
            return
        except (redis.ConnectionError, redis.TimeoutError, BusyLoadingError) as error:
            if not told:
                log.warning("queue: waiting for Redis: %s", error)
            told = True
            time.sleep(LOOK_PERIOD)


@contextmanager
def opened(settings: Settings, ports: Ports) -> Iterator["Stored"]:
    """Give what Redis keeps, as soon as it answers."""
    with connect(settings, ports) as connection:
        wait_for(connection)
        yield Stored(connection, settings)


class Stored:
    """The manager's keys in Redis.

    Args:
        connection: To it.
        settings: Of this laboratory.
    """

    def __init__(self, connection: redis.Redis, settings: Settings):
        self._redis, self._journal = connection, settings.journal
        self._ledger = Ledger(folder(settings))

    def settle(self) -> None:
        """Mend the keys and end an item that nobody runs any more; no manager may be running."""
        self.quarantine()
        if item := self.running():
            fate = self.fate(item)
            again = self.replacement(item, fate)
            log.warning("queue: %s %s: %s", item["name"], fate.status, fate.reason)
            self.end(item, fate, also=again and {**again, "item_uid": str(uuid4())})

    def quarantine(self) -> None:
        """Put aside every entry that would keep the manager from starting."""
        for key in LISTS:
            if self._redis.type(key) not in ("list", "none"):
                self._aside(key, "is no list")
            for entry in self._redis.lrange(key, 0, -1):
                if not is_item(entry):
                    self._redis.pipeline().lrem(key, 0, entry).rpush(QUARANTINE, entry).execute()
                    log.error("queue: entry of %s put into quarantine: %.200s", key, entry)
        for key in self._redis.scan_iter(PREFIX + "*"):
            if key in LISTS or key == QUARANTINE:
                continue
            if self._redis.type(key) != "string" or not is_object(self._redis.get(key)):
                self._aside(key, "is no JSON object")

    def _aside(self, key: str, why: str) -> None:
        self._redis.rename(key, f"{QUARANTINE}_{uuid4().hex[:8]}_{key.removeprefix(PREFIX)}")
        log.error("queue: %s %s; put into quarantine", key, why)

    def running(self) -> Item | None:
        """Return the item that the manager takes for running."""
        return json.loads(self._redis.get(RUNNING) or "{}") or None

    def fate(self, item: Item) -> Fate:
        """Return what really became of an item that is not running any more."""
        fate = self._ledger.of(item["properties"]["time_start"])
        if fate.status in GIVEN_UP:  # by a signal: the manager knows of all others
            return Fate(INTERRUPTED, fate.reason or ENDED, fate.runs, fate.scans, fate.begun)
        if fate.status == INTERRUPTED:
            return Fate(INTERRUPTED, LOST, fate.runs, fate.scans, fate.begun)
        return fate

    def halted(self) -> bool:
        """Whether the worker's last plan was halted, so that nobody has cleaned up after it."""
        return self._ledger.last().status == HALTED

    def replacement(self, item: Item, fate: Fate) -> Item | None:
        """Return what is to be queued in place of an item: what goes on with it, or itself."""
        if fate.status in (COMPLETED, STOPPED) or "immediate_execution" in item["properties"]:
            return None
        again = {key: item[key] for key in ("item_type", "name", "user", "user_group")}
        again |= {key: item[key] for key in ("args", "kwargs", "meta") if key in item}
        if fate.status == INTERRUPTED and self._can_go_on(item, fate):
            again |= {"name": "resume", "args": [], "kwargs": {"uid": fate.runs[-1]}}
        return again

    def _can_go_on(self, item: Item, fate: Fate) -> bool:
        if item["name"] == "resume" or len(fate.runs) != 1:
            return False
        try:
            left = recorded(self._journal, fate.runs[0])
            left.check()
        except ResumeError:
            return False
        return left.start.get("plan_name") == item["name"]

    def end(self, item: Item, fate: Fate, also: Item | None = None) -> bool:
        """Move the running item to the history, unless another one runs by now.

        Args:
            item: The running one.
            fate: What became of it.
            also: To be put at the front of the queue; while a manager runs, only it may do that.

        Returns:
            Whether it was moved.
        """
        ended = json.dumps(ended_item(item, fate))

        def move(pipe: redis.client.Pipeline) -> bool:
            running = json.loads(pipe.get(RUNNING) or "{}")
            pipe.multi()
            if running.get("item_uid") != item["item_uid"]:
                return False
            pipe.rpush(HISTORY, ended).set(RUNNING, "{}")
            if also:
                pipe.lpush(QUEUE, json.dumps(also))
            return True

        return self._redis.transaction(move, RUNNING, value_from_callable=True)

    def repeat_oldest(self) -> int:
        """Put the first entry of the history before itself; returns the size without it."""
        size = self._redis.llen(HISTORY)
        self._redis.lpush(HISTORY, self._redis.lindex(HISTORY, 0))
        return size

    def identity(self) -> str:
        """Return what is new whenever Redis was restarted."""
        return self._redis.info("server")["run_id"]

    def lock_key(self) -> str | None:
        """Return the key with which the manager was locked."""
        return json.loads(self._redis.get(LOCK) or "{}").get("lock_key")


def ended_item(item: Item, fate: Fate) -> Item:
    """Return an item as the manager keeps it in its history."""
    properties = dict(item["properties"])
    started = properties.pop("time_start")
    properties.pop("immediate_execution", None)
    result = {"exit_status": fate.status, "run_uids": fate.runs, "scan_ids": fate.scans}
    result |= {"time_start": started, "time_stop": time.time()}
    result |= {"msg": fate.reason, "traceback": ""}
    kept = {key: value for key, value in item.items() if key != "properties"}
    return kept | ({"properties": properties} if properties else {}) | {"result": result}


def is_object(text: str, holds: Callable[[dict], bool] = lambda _: True) -> bool:
    """Whether a text is a JSON object, and holds what is needed."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and holds(found)


def is_item(text: str) -> bool:
    """Whether a text is an item of the queue."""
    return is_object(text, NEEDED.issubset)
