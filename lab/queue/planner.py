"""Items tried out before they are queued: names, types, the plan's own checks, and how long it takes."""

import copy
import inspect
import re
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, get_args

from bluesky.protocols import Movable, Readable
from bluesky.utils import Msg
from bluesky_queueserver.manager.profile_ops import (
    existing_plans_and_devices_from_nspace,
    load_allowed_plans_and_devices,
    load_user_group_permissions,
    prepare_plan,
    validate_plan,
)

from ... import plans
from ...devices import DisconnectedError, wait_for_all
from ..bound import bound
from ..session import made
from ..settings import Settings
from .described import described_all
from .service import permissions

CONNECTION_TIME = 0.5  # s, of a client's patience
LOOK_TIME = 0.1  # s of the processor for a walk; the rest is foreseen from its beginning
PROTOCOLS = {
    Readable: "that can be read, such as lockin or magnet",
    Movable: "that can be moved, such as magnet, rf.frequency or laser.power",
}
PYDANTIC = re.compile(r"^(.+)\n  (.+?) \[type=.*?, input_value=(.*), input_type=.*\]", re.MULTILINE)
INSTRUCTIONS = ("queue_stop",)


class ItemError(ValueError):
    """An item that cannot be queued, and why."""


@dataclass(frozen=True)
class Estimate:
    """What a plan takes.

    Attributes:
        points: Readings of the lock-in.
        seconds: Of the laboratory's clock, the way of the magnet included.
    """

    points: int
    seconds: float

    def told(self, name: str) -> str:
        """Return it for people."""
        minutes, seconds = divmod(round(self.seconds), 60)
        taken = f"{minutes // 60} h {minutes % 60} min" if minutes > 90 else f"{minutes} min"
        taken = taken if minutes > 5 else f"{60 * minutes + seconds} s"
        return f"{name}: {self.points} points, about {taken} of the laboratory's clock"


class Planner:
    """Tries items out on the instruments' limits, moving nothing.

    Args:
        settings: Of this laboratory.
    """

    def __init__(self, settings: Settings):
        self._bench, self._connected = made(settings.prefix), False
        names = {
            name: thing
            for name, thing in vars(plans).items()
            if getattr(thing, "_is_plan_", False)  # marked by @plan
        }
        names["resume"], names["set_up"] = bound(settings.journal, self._bench)
        namespace = described_all(names) | {device.name: device for device in self._bench}
        plans_found, devices_found, self._plans, self._devices = (
            existing_plans_and_devices_from_nspace(nspace=namespace, max_depth=2)
        )
        self._allowed = load_allowed_plans_and_devices(
            existing_plans=plans_found,
            existing_devices=devices_found,
            user_group_permissions=load_user_group_permissions(permissions(settings)),
        )

    def check(self, item: dict[str, Any], group: str) -> Estimate:
        """Return what an item takes, which is then fit to be queued.

        Raises:
            ItemError: In the words of whoever refuses it.
        """
        if item.get("item_type") == "instruction" and item["name"] in INSTRUCTIONS:
            return Estimate(0, 0.0)
        if item.get("item_type") != "plan":
            raise ItemError(
                f"queue: item_type={item.get('item_type')!r}; needs plan or instruction"
            )
        allowed_plans, allowed_devices = (lists[group] for lists in self._allowed)
        name = item["name"]
        if name not in allowed_plans:
            needs = f"needs one of: {', '.join(sorted(allowed_plans)) or 'another group'}"
            raise ItemError(f"queue: {name!r:.100} is no plan of group {group}; {needs}")
        item = copy.deepcopy(item) | {"user_group": group}
        fits, why = validate_plan(
            item, allowed_plans=allowed_plans, allowed_devices=allowed_devices
        )
        if not fits:
            raise ItemError(f"{name}: {in_a_line(why)}")
        self._connect()
        prepared = prepare_plan(
            item,
            plans_in_nspace=self._plans,
            devices_in_nspace=self._devices,
            allowed_plans=self._allowed[0],
            allowed_devices=self._allowed[1],
            nspace=None,
        )
        plan, arguments = prepared["callable"], (prepared["args"], prepared["kwargs"])
        check_devices(name, plan, *arguments)
        try:
            return Walk(self._bench).through(plan(*arguments[0], **arguments[1]))
        except (ValueError, TypeError, LookupError, DisconnectedError, TimeoutError) as refusal:
            raise ItemError(str(refusal)) from refusal

    def _connect(self) -> None:
        if not self._connected:
            try:
                wait_for_all(self._bench, CONNECTION_TIME)
            except TimeoutError as silence:
                raise ItemError(f"{silence}: their limits are not known") from silence
        self._connected = True


class Walk:
    """A way through a plan without the RunEngine.

    Args:
        bench: Its instruments.
    """

    def __init__(self, bench: Any):
        self._bench = bench
        self._field, self._rate = bench.magnet.field.get(), bench.magnet.ramp_rate.get()
        self._reading, self._moving = bench.lockin.reading_time.get(), 0.0
        self._taken, self._announced = 0, 0

    def through(self, plan: Generator[Msg, Any, Any]) -> Estimate:
        """Walk as far as time allows; what the plan itself refuses is raised.

        Only what it refuses before its first message; afterwards it sees no real readings.
        """
        steps = iter(plan)
        message = next(steps, None)
        deadline = time.thread_time() + LOOK_TIME
        try:
            while message is not None and time.thread_time() < deadline:
                message = steps.send(self._reply(message))
        except StopIteration:
            self._announced = 0
        except Exception:  # noqa: BLE001, S110  a plan that judges its readings has none here
            pass
        finally:
            steps.close()
        points = max(self._taken, self._announced)
        moving = self._moving * points / max(self._taken, 1)
        return Estimate(points, points * self._reading + moving)

    def _reply(self, message: Msg) -> Any:
        if message.command == "open_run":
            self._announced = self._taken + message.kwargs.get("num_points", 0)
        elif message.command == "trigger" and message.obj is self._bench.lockin:
            self._taken += 1
        elif message.command == "set" and message.obj in (
            self._bench.magnet,
            self._bench.magnet.field,
        ):
            way = abs(message.args[0] - self._field)
            self._field, self._moving = message.args[0], self._moving + way / self._rate
        elif message.command == "read":
            return {}
        return None


def check_devices(name: str, plan: Callable, args: list[Any], kwargs: dict[str, Any]) -> None:
    """Raise unless every argument that has to be a device is one that the plan can use.

    Raises:
        ItemError: Naming the argument.
    """
    signature = inspect.signature(plan)
    for field, value in signature.bind(*args, **kwargs).arguments.items():
        annotation = signature.parameters[field].annotation
        for kind in get_args(annotation) or (annotation,):
            if kind in PROTOCOLS and value is not None and not isinstance(value, kind):
                given = getattr(value, "name", value)
                needs = f"needs an instrument or a setting {PROTOCOLS[kind]}"
                raise ItemError(f"{name}: {field}={given!r:.100}; {needs}")


def in_a_line(why: str) -> str:
    """Return the queue server's words about a plan without the plan, in one line."""
    words = why.removeprefix("Plan validation failed: ").partition("\nPlan: ")[0]
    if found := PYDANTIC.findall(words):
        return "; ".join(f"{field}={value:.100}: {what}" for field, what, value in found)
    return "; ".join(line.strip() for line in words.splitlines())[:500]
