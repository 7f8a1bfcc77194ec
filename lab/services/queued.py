"""The queue of a laboratory, asked as its clients ask it."""

import re
from typing import Any

from bluesky_queueserver.manager.comms import CommTimeoutError, ZMQCommSendThreads

from ..queue.keeper import IN_BETWEEN
from ..queue.service import client_environment, folder
from ..settings import Settings
from .laboratory import PURPOSE, Laboratory
from .lookout import NotYetError
from .service import queue_ports
from .supervisor import last_line, said

ANSWER_TIME = 5.0  # s
# what people come for; the manager lists none of them when its environment has failed
EXPECTED = {"blank", "find_resonance", "harmonics", "odmr", "one_point", "resume"}
EXPECTED |= {"spin_inertia", "t1_against"}
# in the manager's log; what follows is the traceback, which ends with its cause
FAILED = "Failed to start RE Worker environment"
CAUSE = re.compile(r"^(?:\w+\.)*\w*(?:Error|Exception|Exit)\b.*", re.MULTILINE)
ATTEMPTS = 3  # the lease of a worker that died a moment ago makes the first ones fail


class HopelessError(RuntimeError):
    """What no waiting mends: an environment that fails again and again, a point not measured."""


def ask(settings: Settings, laboratory: Laboratory, method: str, **params: Any) -> dict[str, Any]:
    """Send a request of an operator; returns the reply.

    Raises:
        NotYetError: When there is none, or it is a refusal.
    """
    address = client_environment(settings, queue_ports(laboratory), "operator")
    client = ZMQCommSendThreads(
        zmq_server_address=address["QSERVER_ZMQ_CONTROL_ADDRESS"],
        server_public_key=address["QSERVER_ZMQ_PUBLIC_KEY"],
        timeout_recv=round(1000 * ANSWER_TIME),
    )
    try:
        reply = client.send_message(method=method, params=params or None)
    except CommTimeoutError as error:
        said = last_line(settings, "door")
        raise NotYetError(f"queue: the door is silent; needs what its log says: {said}") from error
    finally:
        client.close()
    if not reply.get("success", True):
        raise NotYetError(reply["msg"])
    return reply


def plans_are_allowed(settings: Settings, laboratory: Laboratory, since: int = 0) -> str:
    """The queue takes plans, and the expected ones.

    Args:
        settings: Of the laboratory.
        laboratory: Whose queue.
        since: Place in the manager's log before which nothing counts [bytes].

    Raises:
        NotYetError: When it does not.
        HopelessError: When it will not.
    """
    if (folder(settings) / "closed").exists():
        raise NotYetError(
            "queue: a person has closed its environment; needs 'qserver environment open'"
        )
    status = ask(settings, laboratory, "status")
    state = status["manager_state"]
    if state in IN_BETWEEN or not status["worker_environment_exists"]:
        failures, cause = failed(settings, since)
        words = f"queue: its environment is not open, the manager {state}; "
        words += f"needs what its log says: {cause or last_line(settings, 'manager')}"
        raise (HopelessError if failures >= ATTEMPTS else NotYetError)(words)
    allowed = ask(settings, laboratory, "plans_allowed", user_group="operator")["plans_allowed"]
    if missing := EXPECTED - set(allowed):
        raise NotYetError(
            f"queue: plans {', '.join(sorted(missing))} are not allowed; "
            "needs them in the environment and in the permissions"
        )
    return f"{len(allowed)} plans allowed, {status['items_in_queue']} items queued"


def failed(settings: Settings, since: int) -> tuple[int, str]:
    """Return how often the environment has failed to open, and why it did so last."""
    _, *failures = said(settings, "manager", since).split(FAILED)
    causes = CAUSE.findall(failures[-1]) if failures else []
    return len(failures), causes[0] if causes else ""


def begin_point(settings: Settings, laboratory: Laboratory) -> str:
    """Have the queue measure one point, past what is queued; returns the uid of the item."""
    item = {"item_type": "plan", "name": "one_point", "args": ["lockin"]}
    item["kwargs"] = {"md": {"purpose": PURPOSE}}
    who = {"user": "odmrlab up", "user_group": "operator"}
    return ask(settings, laboratory, "queue_item_execute", item=item, **who)["item"]["item_uid"]


def end_point(settings: Settings, laboratory: Laboratory, item_uid: str) -> str:
    """Return the uid of the run that a point became.

    Raises:
        NotYetError: While it is being measured.
        HopelessError: When it was not.
    """
    ended = ask(settings, laboratory, "history_get")["items"]
    found = [item["result"] for item in ended if item["item_uid"] == item_uid]
    if not found:
        raise NotYetError("one point: the queue is measuring it; needs more time, see --timeout")
    result = found[-1]
    if result["exit_status"] != "completed" or not result["run_uids"]:
        raise HopelessError(f"one point: {result['exit_status']}: {result['msg'].strip()}")
    return result["run_uids"][0]
