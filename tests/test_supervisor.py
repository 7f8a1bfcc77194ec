"""What the daemon of the services says, and what becomes of half an answer."""

import socket
import threading

import pytest

from odmrlab.lab.services.laboratory import folder_of
from odmrlab.lab.services.supervisor import SOCKET, daemon_of
from odmrlab.lab.settings import Settings

HALF = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 900\r\n\r\n<?xml version='1.0'?>"
)


def test_a_daemon_that_is_killed_while_it_answers_is_gone(short_folder):
    settings = Settings(home=short_folder)
    folder_of(settings).mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder_of(settings) / SOCKET))
        listener.listen()

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                asked = b""
                while b"</methodCall>" not in asked:
                    asked += connection.recv(10_000)
                connection.sendall(HALF)

        answering = threading.Thread(target=answer)
        answering.start()
        with (
            pytest.raises(ConnectionResetError, match="killed while it answered"),
            daemon_of(settings) as daemon,
        ):
            daemon.getState()
        answering.join()
