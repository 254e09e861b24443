"""scripts/dev.py starts the server and Vite, and stops both together."""

from __future__ import annotations

import signal
import socket
import sys
from pathlib import Path

from tests.cli.conftest import StartCommand
from tests.processes import ROOT, Command

DEV = str(ROOT / "scripts" / "dev.py")


def free_port() -> int:
    """A port that nobody uses just now."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def taken_everywhere() -> socket.socket:
    """A port taken on IPv4 and, where there is one, on IPv6: Vite takes whichever `localhost` means."""
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("", 0))


def is_free(port: int) -> bool:
    """Whether somebody else could listen there."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def test_both_start_and_a_signal_stops_both(start_command: StartCommand, tmp_path: Path) -> None:
    def both_are_ready(dev: Command) -> bool:
        return any("server |" in line and "startup complete" in line for line in dev.lines) and any(
            "web |" in line and f":{web_port}" in line for line in dev.lines
        )

    port, web_port = free_port(), free_port()
    dev = start_command(sys.executable, DEV, "--port", str(port), "--web-port", str(web_port), RMOS_DATA=str(tmp_path))
    dev.wait_until(both_are_ready, "server and Vite")

    code = dev.stop(signal.SIGINT)

    assert code == 0
    assert (is_free(port), is_free(web_port)) == (True, True)


def test_when_one_ends_so_does_the_other(start_command: StartCommand, tmp_path: Path) -> None:
    port = free_port()
    with taken_everywhere() as taken:
        dev = start_command(
            sys.executable,
            DEV,
            "--port",
            str(port),
            "--web-port",
            str(taken.getsockname()[1]),
            RMOS_DATA=str(tmp_path),
        )

        code = dev.wait()

    assert code != 0
    assert "web has ended, so everything was stopped" in dev.lines
    assert is_free(port)
