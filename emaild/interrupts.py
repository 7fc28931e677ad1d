"""What a signal interrupts: ended in order, done to its end first, or ended when it takes too long."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

T = TypeVar("T")

ENDING = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP unwind like Ctrl-C does, so that what was begun is ended; one that is ignored stays so.

    In a thread beside the main one, which gets no signals, it does nothing.
    """

    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {}
    if threading.current_thread() is threading.main_thread():
        numbers = (number for number in ENDING if signal.getsignal(number) != signal.SIG_IGN)
        before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def to_its_end(call: Callable[[], T]) -> T:
    """What *call* gives, or raises. A signal that comes meanwhile is taken up when it has ended, and may then raise.

    It is for what ends soon.
    """
    if threading.current_thread() is not threading.main_thread():  # no signal is taken up there
        return call()
    came: list[int] = []
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    taken_up = {int(number): handler for number, handler in handlers.items() if callable(handler)}
    for number in taken_up:
        signal.signal(number, lambda number, frame: came.append(number))
    try:
        return call()
    finally:
        for number, handler in taken_up.items():
            signal.signal(number, handler)
        for signalled in dict.fromkeys(came):
            taken_up[signalled](signalled, None)


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """TimeoutError for what takes longer; a server that says a byte now and then would have no end."""

    def end(number: int, frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)  # once more where the first was taken for something else
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
