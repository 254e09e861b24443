"""The process of `soak.servers.Nursery`: `python -m soak.nursery <socket>`.

Each connection to the socket is a place. Its first line names the data folder and a file for stderr; each further one
is an order for a server, which is this process, forked. Said are the server's process, its own lines, and how it ended.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import sys
from typing import Any

import rmos.web.app  # noqa: F401  # loaded once, before the forks
from rmos.cli.main import app


def main(path: str) -> None:
    """Take in places until killed."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        os.write(1, b"ready\n")
        while True:
            connection, _ = listening.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                listening.close()
                _be_a_place(connection)
                os._exit(0)
            connection.close()


def _be_a_place(connection: socket.socket) -> None:
    for stream in (0, 1):
        os.dup2(connection.fileno(), stream)
    connection.close()
    with open(0, encoding="utf-8", closefd=False) as orders:
        place = json.loads(orders.readline())
        os.dup2(os.open(place["errors"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), 2)
        for order in orders:
            child = os.fork()
            if child == 0:
                _serve(place["data"], json.loads(order))
            os.write(1, b"process %d\n" % child)
            _, status = os.waitpid(child, 0)
            os.write(1, b"gone %d\n" % os.waitstatus_to_exitcode(status))


def _serve(data: str, order: dict[str, Any]) -> None:  # Any: JSON
    os.environ.update(order["settings"])
    if order["prepare"]:
        place, *arguments = order["prepare"]
        module, _, function = place.partition(":")
        getattr(importlib.import_module(module), function)(*arguments)
    app(["serve", "--port", str(order["port"]), "--data", data])


if __name__ == "__main__":
    main(sys.argv[1])
