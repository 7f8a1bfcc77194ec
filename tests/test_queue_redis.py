"""Redis on the loopback address, from the system or a wheel; it forgets nothing."""

import signal
import socket
import stat
import subprocess
from contextlib import closing, contextmanager

import pytest
import redis
from laboratory import free_port
from test_journal import wait_for

from odmrlab.lab.queue.redis import NoRedisError, redis_address, redis_command, servers


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def served(folder, server=None, **options):
    """Run a Redis until the end of the block; give process, address and client."""
    port = free_port()
    process = subprocess.Popen(redis_command(port, folder, server), stdout=subprocess.DEVNULL)
    address = redis_address(port, folder)
    try:
        wait_for(lambda: listens(port))
        with closing(redis.Redis.from_url(f"redis://{address}", **options)) as client:
            yield process, client
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


@pytest.mark.parametrize("server", list(servers()), ids=lambda path: path.name)
def test_what_redis_acknowledged_outlives_its_kill(server, tmp_path):
    with served(tmp_path / "data", server) as (process, client):
        client.rpush("queue", "first", "second")
        process.kill()
        process.wait(10)
    with served(tmp_path / "data", server) as (_, client):
        assert client.lrange("queue", 0, -1) == [b"first", b"second"]


def test_redis_wants_a_password_and_cannot_be_flushed(tmp_path):
    with served(tmp_path) as (_, client):
        with pytest.raises(redis.ResponseError, match="unknown command"):
            client.flushall()
        port = client.connection_pool.connection_kwargs["port"]
        stranger = redis.Redis(port=port)
        with closing(stranger), pytest.raises(redis.AuthenticationError):
            stranger.get("queue")
    for name in ("redis.conf", "password"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_a_machine_without_redis_is_told_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("odmrlab.lab.queue.redis.servers", lambda: iter(()))
    with pytest.raises(NoRedisError, match="no redis-server or .*; needs one of them: pip install"):
        redis_command(6379, tmp_path)
