"""emaild as a process that need not load it first: forked off one that has.

It is a process as any other, with memory, files, signals and an exit code of its own, and does from start to end what
`python -m emaild` does. Only the imports, most of the time that a command takes, were done before. That these work in
a new process is what the tests show that start one: of the command line, of faulty builds, of the demo, under systemd.
"""

from __future__ import annotations

import atexit
import functools
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

TOP = Path(__file__).parents[2]
PRELOADED = "PRELOADED"  # the environment's variable for modules that emaild loads late, and every fork for itself
AT_START = ("LANG", "LC_ALL", "LC_CTYPE", "PYTHONUTF8", PRELOADED)  # what is read once
LARGEST = 1 << 17  # bytes of an order


class Forked:
    """A running emaild, with what the tests use of a `subprocess.Popen`."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], *streams: IO[Any]) -> None:
        """Start it in this *environment*; *streams* are its standard input, output and error."""
        self._arguments = list(arguments)
        self._code: int | None = None
        self._asking = threading.Lock()
        order = {"arguments": self._arguments, "environment": dict(environment), "folder": os.getcwd()}
        reading, writing = os.pipe()
        self._told = os.fdopen(reading, encoding="ascii")
        descriptors = [writing, *(stream.fileno() for stream in streams)]
        read = tuple((name, environment[name]) for name in AT_START if name in environment)
        socket.send_fds(_server(read), [json.dumps(order).encode()], descriptors)
        os.close(writing)
        self.pid = int(self._told.readline())

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; the exit code, negative for a signal. Raises subprocess.TimeoutExpired."""
        with self._asking:
            if self._code is None:
                if not select.select([self._told], [], [], timeout)[0]:
                    raise subprocess.TimeoutExpired(self._arguments, timeout or 0)
                with self._told:
                    self._code = int(self._told.readline())
            return self._code

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, number: int) -> None:
        """Send it a signal, where it runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


def ran(
    arguments: Sequence[str], environment: Mapping[str, str], given: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end, as `subprocess.run` does, for at most a minute."""
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        stdin.write(given or b"")
        stdin.seek(0)
        process = Forked(arguments, environment, stdin, stdout, stderr)
        try:
            code = process.wait(60)
        finally:
            process.kill()
        stdout.seek(0)
        stderr.seek(0)
        return subprocess.CompletedProcess(list(arguments), code, stdout.read(), stderr.read())


def ran_in_text(
    arguments: Sequence[str], environment: Mapping[str, str], given: bytes | None = None
) -> subprocess.CompletedProcess[str]:
    """The same; what it prints is UTF-8."""
    done = ran(arguments, environment, given)
    out, err = (printed.decode().replace("\r\n", "\n") for printed in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)


@functools.cache
def _server(read: tuple[tuple[str, str], ...]) -> socket.socket:
    """The process that has loaded emaild, with these variables, by the socket for orders; it ends with the tests."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * LARGEST)
    command = [sys.executable, "-m", "tests.daemon.forked", str(its.fileno())]
    around = {name: value for name, value in os.environ.items() if name not in AT_START} | dict(read)
    process = subprocess.Popen(command, cwd=TOP, env=around, stdin=subprocess.DEVNULL, pass_fds=[its.fileno()])
    its.close()

    def end() -> None:
        ours.close()
        process.wait(10)

    atexit.register(end)
    return ours


def _fork_on_orders(orders: socket.socket) -> None:
    """Fork at each order, and return in the process that is to be emaild."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how those ended who look after one
    while True:
        order, descriptors, _, _ = socket.recv_fds(orders, LARGEST, 4)
        if not order:
            os._exit(0)
        if not os.fork():
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            orders.close()
            telling, *streams = descriptors
            if emaild := os.fork():
                _look_after(emaild, telling)
            os.close(telling)
            return _become(json.loads(order), streams)
        for descriptor in descriptors:
            os.close(descriptor)


def _look_after(process: int, telling: int) -> None:
    """Tell its id, and its exit code when it has ended."""
    os.write(telling, b"%d\n" % process)
    _, status = os.waitpid(process, 0)
    os.write(telling, b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _become(order: Mapping[str, Any], streams: Sequence[int]) -> None:
    """Take over what a new process would have been given."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    sys.argv[1:] = order["arguments"]


if __name__ == "__main__":
    from emaild.__main__ import main
    from emaild.cli.main import parser

    parser()  # loads the modules of all commands
    for late in os.environ.get(PRELOADED, "").split():
        importlib.import_module(late)
    _fork_on_orders(socket.socket(fileno=int(sys.argv[1])))
    main()
