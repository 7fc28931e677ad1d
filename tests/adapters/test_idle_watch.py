"""The one thread that watches all idle connections, on real sockets."""

from __future__ import annotations

import os
import socket
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from emaild.clock import SystemClock
from emaild.net.idle import SPARE, IdleWatch
from tests.clock import ManualClock
from tests.servers.authority import Authority
from tests.servers.scripted import Dialog, Scripted

LONG = 3_600.0
PATIENCE = 10.0  # seconds that a test waits for what should come at once


class Line:
    """A connection: `near` is watched, `far` is the server's end. `back` counts how often it was given back."""

    def __init__(self) -> None:
        self.near, self.far = socket.socketpair()
        self.came_back = threading.Event()
        self.times = 0

    def back(self) -> None:
        """What the watch is to call."""
        self.times += 1
        self.came_back.set()

    def is_back(self) -> bool:
        """Wait for it, and make ready for the next time."""
        came = self.came_back.wait(PATIENCE)
        self.came_back.clear()
        return came


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def watch(clock: ManualClock) -> Iterator[IdleWatch]:
    idle = IdleWatch(clock)
    idle.start()
    yield idle
    idle.stop()


@pytest.fixture
def lines() -> Iterator[Callable[[], Line]]:
    """Makes connections, closed with the test."""
    with ExitStack() as stack:

        def make() -> Line:
            line = Line()
            stack.enter_context(line.near)
            stack.enter_context(line.far)
            return line

        yield make


def test_connection_comes_back_once_when_its_server_speaks(watch: IdleWatch, lines: Callable[[], Line]) -> None:
    line, quiet = lines(), lines()
    watch.watch("quiet", quiet.near, LONG, quiet.back)
    watch.watch("box", line.near, LONG, line.back)
    line.far.sendall(b"* 1 EXISTS\r\n")
    assert line.is_back()
    line.far.sendall(b"* 2 EXISTS\r\n")
    watch.recall("box")
    assert (line.times, quiet.times) == (1, 0)
    assert line.near.recv(100) == b"* 1 EXISTS\r\n* 2 EXISTS\r\n"  # the watch itself reads nothing


def test_connection_comes_back_when_its_server_closes_it(watch: IdleWatch, lines: Callable[[], Line]) -> None:
    line = lines()
    watch.watch("box", line.near, LONG, line.back)
    line.far.close()
    assert line.is_back()


def test_bytes_that_were_there_before_are_noticed(watch: IdleWatch, lines: Callable[[], Line]) -> None:
    line = lines()
    line.far.sendall(b"* 1 EXISTS\r\n")
    watch.watch("box", line.near, LONG, line.back)
    assert line.is_back()


def test_connection_comes_back_when_its_time_is_up(
    watch: IdleWatch, clock: ManualClock, lines: Callable[[], Line]
) -> None:
    short, long = lines(), lines()
    watch.watch("short", short.near, 300, short.back)
    watch.watch("long", long.near, 301, long.back)
    watch.time_has_passed()
    assert (short.times, long.times) == (0, 0)
    clock.advance(300)
    watch.time_has_passed()
    assert short.is_back()
    assert (short.times, long.times) == (1, 0)


def test_time_that_is_up_at_once_is_kept() -> None:
    """On the machine's own clock: nobody has to tell the thread to look."""
    idle, line = IdleWatch(SystemClock()), Line()
    idle.start()
    with line.near, line.far:
        idle.watch("box", line.near, 0.05, line.back)
        assert line.is_back()
        idle.stop()


def test_connection_that_is_recalled_is_not_given_back(watch: IdleWatch, lines: Callable[[], Line]) -> None:
    line = lines()
    watch.watch("box", line.near, LONG, line.back)
    watch.recall("box")
    line.far.sendall(b"* 1 EXISTS\r\n")
    watch.recall("box")
    assert line.times == 0
    assert line.near.recv(100) == b"* 1 EXISTS\r\n"


def test_connection_may_be_watched_again(watch: IdleWatch, lines: Callable[[], Line]) -> None:
    line = lines()
    for count in (1, 2, 3):
        watch.watch("box", line.near, LONG, line.back)
        line.far.sendall(b".")
        assert line.is_back()
        assert line.near.recv(100) == b"."
        assert line.times == count


def test_closed_connection_comes_back_at_once(watch: IdleWatch, lines: Callable[[], Line]) -> None:
    line = lines()
    line.near.close()
    watch.watch("box", line.near, LONG, line.back)
    assert line.is_back()


def test_connection_under_tls_is_watched_like_any(
    watch: IdleWatch, scripted: Callable[..., Scripted], authority: Authority
) -> None:
    speak = threading.Event()

    def server(dialog: Dialog) -> None:
        dialog.readline()
        dialog.send("+ idling")
        assert speak.wait(PATIENCE)
        dialog.send("* 1 EXISTS")
        dialog.wait_for_end()

    port = scripted(server, authority=authority, tls=True).port
    plain = socket.create_connection(("localhost", port), timeout=PATIENCE)
    back = threading.Event()
    with authority.client_context().wrap_socket(plain, server_hostname="localhost") as secured:
        secured.sendall(b"IDLE\r\n")
        assert secured.recv(100) == b"+ idling\r\n"
        watch.watch("box", secured, LONG, back.set)
        watch.recall("nobody")
        assert not back.is_set()
        speak.set()
        assert back.wait(PATIENCE)
        assert secured.recv(100) == b"* 1 EXISTS\r\n"


def test_hundreds_of_connections_are_held_by_one_thread(watch: IdleWatch, lines: Callable[[], Line]) -> None:
    many = [lines() for _ in range(300)]
    before = threading.active_count()
    for number, line in enumerate(many):
        watch.watch(f"box {number}", line.near, LONG, line.back)
    for line in many[::2]:
        line.far.sendall(b".")
    assert all(line.is_back() for line in many[::2])
    watch.recall("nobody")
    assert [line.times for line in many] == [1, 0] * 150
    assert threading.active_count() == before


def test_times_of_many_connections_are_kept_in_their_order(
    watch: IdleWatch, clock: ManualClock, lines: Callable[[], Line]
) -> None:
    came: list[float] = []
    done = threading.Event()
    many = [lines() for _ in range(50)]
    for number, line in enumerate(many):
        seconds = float(number * 37 % 50 + 1)
        watch.watch(f"box {number}", line.near, seconds, lambda seconds=seconds: came.append(seconds))  # type: ignore[misc]
    last = lines()
    watch.watch("last", last.near, 51, done.set)
    for number in range(0, 50, 2):
        watch.recall(f"box {number}")
    clock.advance(51)
    watch.time_has_passed()
    assert done.wait(PATIENCE)
    assert came == sorted(number * 37 % 50 + 1 for number in range(1, 50, 2))


def test_only_a_time_before_all_others_wakes_the_thread(
    watch: IdleWatch, lines: Callable[[], Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    knocks: list[int] = []
    write = os.eventfd_write

    def knock(door: int, number: int) -> None:
        knocks.append(number)
        write(door, number)

    monkeypatch.setattr(os, "eventfd_write", knock)
    first, second = lines(), lines()
    watch.watch("first", first.near, 300, first.back)
    for _ in range(100):
        watch.watch("second", second.near, LONG, second.back)
        watch.recall("second")
    assert len(knocks) == 1


def test_what_was_watched_ten_thousand_times_leaves_nothing_behind(watch: IdleWatch, lines: Callable[[], Line]) -> None:
    class Back:
        def __call__(self) -> None:
            raise AssertionError

    line = lines()
    known: list[weakref.ref[Back]] = []
    for _ in range(10_000):
        back = Back()
        known.append(weakref.ref(back))
        watch.watch("box", line.near, LONG, back)
        watch.recall("box")
    assert sum(one() is not None for one in known) <= SPARE + 2


def test_connection_that_was_closed_while_it_was_watched_leaves_its_number_to_the_next(
    watch: IdleWatch, lines: Callable[[], Line]
) -> None:
    old, new = lines(), lines()
    number = old.near.fileno()
    watch.watch("old", old.near, LONG, old.back)
    old.near.close()
    os.dup2(new.near.fileno(), number)
    with socket.socket(fileno=number) as again:
        watch.watch("new", again, LONG, new.back)
        watch.recall("old")
        new.far.sendall(b".")
        assert new.is_back()
        assert old.times == 0


def test_watch_that_was_stopped_gives_nothing_back_and_keeps_nobody_waiting(
    clock: ManualClock, lines: Callable[[], Line]
) -> None:
    idle, line = IdleWatch(clock), lines()
    idle.start()
    idle.watch("box", line.near, LONG, line.back)
    idle.stop()
    line.far.sendall(b".")
    idle.recall("box")
    idle.watch("box", line.near, LONG, line.back)
    idle.time_has_passed()
    idle.stop()
    assert line.times == 0
