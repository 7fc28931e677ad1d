"""The steps on the way to a server, told to whoever tries it; where nobody listens they cost a look.

with heard(print):
    signed_in(section, peer)  # which says begin("connect"), tell("127.0.0.1:25"), begin("greeting") and so on
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum

TLS = "TLS"
LONGEST = 300  # characters of what is told at once, for servers may say a lot


class StepState(StrEnum):
    """What came of a step."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Step:
    """A step that was taken; `text` is in one line, for a person."""

    name: str
    state: StepState
    text: str
    seconds: float


class Walk:
    """The steps of one try, each given to *ended* when the next begins. A step that was told before is left out.

    *last* is a step after which the try is to end, as far as that step knows how.
    """

    def __init__(self, ended: Callable[[Step], None], last: str = "") -> None:
        self.last = last
        self._ended = ended
        self._told: list[str] = []
        self.name = ""
        self._since = 0.0
        self._before: set[tuple[str, str]] = set()

    def begin(self, name: str) -> None:
        """End the step of now, which was good, and begin another."""
        self.end()
        self.name, self._since = name, time.monotonic()

    def tell(self, text: str) -> None:
        """What there is to say of the step of now."""
        said = " ".join(text.split())[:LONGEST]
        if said and self.name:
            self._told.append(said)

    def end(self, state: StepState = StepState.OK) -> None:
        """The step of now is over."""
        name, told, self.name, self._told = self.name, "; ".join(self._told), "", []
        if name and (state is StepState.FAILED or (name, told) not in self._before):
            self._before.add((name, told))
            self._ended(Step(name, state, told, time.monotonic() - self._since))

    def fail(self, reason: str, name: str) -> None:
        """The step of now failed; *name* is what it is called where nothing had begun."""
        if not self.name:
            self.begin(name)
        if not (self._told and self._told[-1].endswith(reason)):
            self.tell(reason)
        self.end(StepState.FAILED)

    def skip(self, name: str, why: str) -> None:
        """A step that is not to be taken."""
        self.begin(name)
        self.tell(why)
        self.end(StepState.SKIPPED)


_walk: ContextVar[Walk | None] = ContextVar("walk", default=None)


@contextmanager
def heard(ended: Callable[[Step], None], last: str = "") -> Iterator[Walk]:
    """Inside it, in this thread, the steps are given to *ended*."""
    walk = Walk(ended, last)
    before = _walk.set(walk)
    try:
        yield walk
    finally:
        _walk.reset(before)


@contextmanager
def together(name: str) -> Iterator[None]:
    """A step, the steps inside which nobody hears."""
    begin(name)
    before = _walk.set(None)
    try:
        yield
    finally:
        _walk.reset(before)


def is_heard() -> bool:
    """Whether it is worth finding out what could be told."""
    return _walk.get() is not None


def is_last(name: str) -> bool:
    """Whether the try is to end after that step."""
    walk = _walk.get()
    return walk is not None and walk.last == name


def now() -> str:
    """The step that is being taken; empty where nobody listens."""
    walk = _walk.get()
    return walk.name if walk is not None else ""


def begin(name: str) -> None:
    """See `Walk.begin`; so the others."""
    if (walk := _walk.get()) is not None:
        walk.begin(name)


def tell(text: str) -> None:
    if (walk := _walk.get()) is not None:
        walk.tell(text)


def fail(reason: str, name: str) -> None:
    if (walk := _walk.get()) is not None:
        walk.fail(reason, name)


def skip(name: str, why: str) -> None:
    if (walk := _walk.get()) is not None:
        walk.skip(name, why)
