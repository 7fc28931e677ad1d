"""Connecting to whichever of a host's addresses answers first (RFC 8305, Happy Eyeballs)."""

from __future__ import annotations

import errno
import os
import queue
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any

from emaild.net import steps

ATTEMPT_DELAY = 0.25  # seconds between the beginnings of two attempts (RFC 8305 §5)

Address = tuple[Any, ...]
"""A socket address as its family has it."""


class Deadline:
    """A moment by which something must be done."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left.

        Raises:
            TimeoutError: none are.
        """
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


@dataclass(frozen=True)
class Here:
    """Where connections of ours begin; empty and 0 where the system may choose."""

    address: str = ""
    port: int = 0


def connected(
    host: str, port: int, here: Here, deadline: Deadline, permit: Callable[[str], None] | None = None
) -> socket.socket:
    """A connection to the first of the host's addresses that answers, IPv6 and IPv4 by turns.

    *permit* is given each address before the first is connected to, and raises where one is not allowed.

    Raises:
        OSError: what the last of them failed with; TimeoutError: the deadline came first.
    """
    steps.begin("name")
    addresses = _by_turns(resolved(host, port, deadline))
    found = [str(address[0]) for _, address in addresses]
    steps.tell("it is an address" if found == [host] else f"{host} is {', '.join(found)}")
    steps.begin("connect")
    if permit is not None:
        for _, address in addresses:
            permit(address[0])
    ends = _our_ends(here, deadline)
    if ends:
        addresses = [(family, address) for family, address in addresses if family in ends]
    connection = race(addresses, ends, deadline)
    try:
        steps.tell("to {} port {}".format(*connection.getpeername()[:2]))  # has none if it was reset meanwhile
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # IMAPClient sends a command and CRLF apart
    except BaseException:
        connection.close()
        raise
    return connection


def race(addresses: Iterable[tuple[int, Address]], ends: Mapping[int, Address], deadline: Deadline) -> socket.socket:
    """The connection that is there first; *ends* are what to bind to, by family.

    An attempt begins when the last one has failed or taken 250 ms. The losers are closed.

    Raises:
        OSError: what the last of them failed with; TimeoutError: the deadline came first.
    """
    failure = OSError(errno.EADDRNOTAVAIL, "the server has no address of the family of localaddress")
    waiting = deque(addresses)
    with selectors.DefaultSelector() as selector:
        try:
            while waiting or selector.get_map():
                if waiting:
                    family, address = waiting.popleft()
                    try:
                        attempt = _attempt(family, address, ends.get(family))
                        selector.register(attempt, selectors.EVENT_WRITE, address[0])
                    except OSError as error:
                        steps.tell(f"{address[0]}: {error.strerror}")
                        failure = error
                        continue
                left = deadline.left()
                for connection in _ended(selector, min(left, ATTEMPT_DELAY) if waiting else left):
                    key = selector.unregister(connection)
                    code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if code == 0:
                        return connection
                    connection.close()
                    failure = OSError(code, os.strerror(code))
                    steps.tell(f"{key.data}: {failure.strerror}")
            raise failure
        finally:
            for key in list(selector.get_map().values()):
                key.fileobj.close()  # type: ignore[union-attr]


def _attempt(family: int, address: Address, end: Address | None) -> socket.socket:
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        if end is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            connection.bind(end)
        code = connection.connect_ex(address)
        if code not in (0, errno.EINPROGRESS):
            raise OSError(code, os.strerror(code))
    except BaseException:
        connection.close()
        raise
    return connection


def _ended(selector: selectors.BaseSelector, seconds: float) -> Iterator[socket.socket]:
    for key, _ in selector.select(seconds):
        assert isinstance(key.fileobj, socket.socket)
        yield key.fileobj


def _our_ends(here: Here, deadline: Deadline) -> dict[int, Address]:
    """What to bind to, by family; nothing where the system may choose."""
    if here.address:
        return dict(reversed(resolved(here.address, here.port, deadline)))
    if here.port:
        return {socket.AF_INET6: ("::", here.port), socket.AF_INET: ("0.0.0.0", here.port)}  # noqa: S104
    return {}


def _by_turns(addresses: Iterable[tuple[int, Address]]) -> list[tuple[int, Address]]:
    """IPv6 first, then one of each family (RFC 8305 §4)."""
    found = list(addresses)
    sixes = [one for one in found if one[0] == socket.AF_INET6]
    others = [one for one in found if one[0] != socket.AF_INET6]
    return [one for one in chain.from_iterable(zip_longest(sixes, others)) if one is not None]


def resolved(host: str, port: int, deadline: Deadline) -> list[tuple[int, Address]]:
    """A host's addresses, in a thread of its own: the system's resolver knows no bound."""
    try:
        return _looked_up(host, port, socket.AI_NUMERICHOST)
    except OSError:
        answers: queue.SimpleQueue[list[tuple[int, Address]] | OSError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(_looked_up(host, port))
        except OSError as error:
            answers.put(error)

    threading.Thread(target=look_up, name=f"resolve {host}", daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.left())
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, OSError):
        raise answer
    return answer


def _looked_up(host: str, port: int, flags: int = 0) -> list[tuple[int, Address]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    except UnicodeError as error:  # a label that is empty or too long
        raise socket.gaierror(socket.EAI_NONAME, f"{host} is no host name") from error
    return [(family, address) for family, _, _, _, address in found]
