"""Questions that are asked at the same time, and wait for each other no longer than they must."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from emaild.net.race import Deadline
from emaild.provision.discover.found import Came, Found, Step
from emaild.provision.discover.services import Offer
from emaild.provision.discover.unfit import Unfit


@dataclass(frozen=True)
class Answer:
    """What came of a question. `offers` are parts of what several questions find; `more` are to be asked now."""

    text: str
    found: Found | None = None
    offers: tuple[Offer, ...] = ()
    more: tuple[Question, ...] = ()


@dataclass(frozen=True)
class Question:
    """A question with its number in the order. `put` may raise Unfit, or TimeoutError after the deadline."""

    number: str
    asked: str
    put: Callable[[Deadline], Answer] = field(compare=False)


@dataclass
class Asked:
    """A question that was begun; `step` is there once it has ended."""

    question: Question
    begun: float
    answer: Answer | None = None
    step: Step | None = None


class Round:
    """All questions, each in a thread of its own, until the deadline.

    The threads are daemons: one that hangs in the system's resolver must not hold up the end of the process.
    """

    def __init__(self, questions: Iterable[Question], deadline: Deadline) -> None:
        self.all: list[Asked] = []
        self._deadline = deadline
        self._ended: queue.SimpleQueue[tuple[Asked, Answer | None, Came, str]] = queue.SimpleQueue()
        self._begin(questions)

    def wait(self, settled: Callable[[], bool]) -> None:
        """Until *settled* says so, all have ended, or the deadline comes."""
        while not settled() and any(asked.step is None for asked in self.all):
            try:
                asked, answer, came, text = self._ended.get(timeout=self._deadline.left())
            except (queue.Empty, TimeoutError):
                return
            asked.answer = answer
            asked.step = _step(asked, came, text)
            if answer is not None:
                self._begin(answer.more)

    def steps(self, *, settled: bool) -> tuple[Step, ...]:
        """All that was asked, in the order of the numbers; *settled*: what is open needed no waiting for."""
        came, text = (Came.SKIPPED, "not waited for") if settled else (Came.TIMED_OUT, "no answer in time")
        in_order = sorted(self.all, key=lambda asked: asked.question.number)
        return tuple(asked.step or _step(asked, came, text) for asked in in_order)

    def _begin(self, questions: Iterable[Question]) -> None:
        for question in questions:
            asked = Asked(question, time.monotonic())
            self.all.append(asked)
            threading.Thread(target=self._put, args=(asked,), name=f"discovery {question.number}", daemon=True).start()

    def _put(self, asked: Asked) -> None:
        try:
            answer = asked.question.put(self._deadline)
            self._ended.put((asked, answer, Came.FOUND, answer.text))
        except Unfit as error:
            self._ended.put((asked, None, error.came, error.text))
        except TimeoutError:
            self._ended.put((asked, None, Came.TIMED_OUT, "no answer in time"))
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody shall wait for the rest of the time
            self._ended.put((asked, None, Came.MALFORMED, type(error).__name__))


def _step(asked: Asked, came: Came, text: str) -> Step:
    question = asked.question
    seconds = time.monotonic() - asked.begun
    return Step(number=question.number, asked=question.asked, came=came, text=text, seconds=seconds)
