"""The manager as the door sees it: one request after another, each answered or given up."""

import asyncio
import json
from typing import Any

import zmq
import zmq.asyncio


class SilentError(TimeoutError):
    """The manager does not answer."""


class Manager:
    """Connection to the manager.

    Args:
        port: Of its control on the loopback address.
        public: Its public key.
        patience: Time to wait for an answer [s].
    """

    def __init__(self, port: int, public: str, patience: float):
        self._address, self._public = f"tcp://127.0.0.1:{port}", public.encode()
        self._lock, self._patience = asyncio.Lock(), patience
        self._context = zmq.asyncio.Context.instance()
        self._socket: zmq.asyncio.Socket | None = None
        self._losses: zmq.asyncio.Socket | None = None

    async def __call__(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a request and return the reply.

        Raises:
            SilentError: When none comes in time.
        """
        return await self.forward({"method": method, "params": params})

    async def forward(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send a whole request and return the reply.

        Raises:
            SilentError: When none comes in time, or the manager has ended before it answered.
        """
        async with self._lock:
            socket, losses = self._opened()
            while await losses.poll(0):
                await losses.recv_multipart()  # before this request: it waits for the next manager
            await socket.send(json.dumps(request).encode())
            both = zmq.asyncio.Poller()
            both.register(socket, zmq.POLLIN)
            both.register(losses, zmq.POLLIN)
            came = dict(await both.poll(1000 * self._patience))
            if socket not in came:
                self.close()  # a late reply must not be taken for that to the next request
                what = "ended before it answered" if came else f"is silent for {self._patience:g} s"
                raise SilentError(
                    f"queue: the manager {what}; needs some seconds when it is being started anew, "
                    "otherwise its log tells why"
                )
            return json.loads(await socket.recv())

    def close(self) -> None:
        """Drop the connection; the next request makes a new one."""
        if self._socket:
            self._socket.disable_monitor()
            self._socket.close(linger=0)
        self._socket = None

    def _opened(self) -> tuple[zmq.asyncio.Socket, zmq.asyncio.Socket]:
        if self._socket is None:
            self._socket = self._context.socket(zmq.REQ)
            public, secret = zmq.curve_keypair()
            self._socket.setsockopt(zmq.CURVE_SERVERKEY, self._public)
            self._socket.setsockopt(zmq.CURVE_PUBLICKEY, public)
            self._socket.setsockopt(zmq.CURVE_SECRETKEY, secret)
            self._losses = self._socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
            self._socket.connect(self._address)
        return self._socket, self._losses
