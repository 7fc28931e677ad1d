"""What works of a mailbox or a way out, step by step, and why the rest does not."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from emaild.clock import Clock
from emaild.diagnosis import Diagnosis, Who, diagnose_error, diagnose_receipt
from emaild.errors import LeaseLost, OperatorError, RemoteError, Unreachable
from emaild.jobs.adapters import sink_for
from emaild.jobs.certificate import presented
from emaild.jobs.our_fault import in_a_line
from emaild.jobs.trial import patient, remedy, trial
from emaild.message import Outbound, RecipientState
from emaild.net import steps
from emaild.net.oauth import Sealed, tokens_for
from emaild.net.steps import Step, StepState, Walk, heard
from emaild.settings.mailbox import MailboxSection
from emaild.settings.network import ProxySection
from emaild.settings.way_out import WayOutSection

LONGEST = 90.0  # seconds for one section, whatever the server does: one that says a byte now and then has no end
AT_ONCE = 16
REPORT = "this is a fault of emaild itself; please report it"
OF_MAILS = (Who.MAIL, Who.RECIPIENT)
AT_MAILBOXES = {
    "smtp-connection-security": "pop-connection-security",
    r"\buser\b": "mailbox",
    r"\b465\b": "993 or 995",
    r"\b587( or 25)?\b": "143 or 110",
}
"""What words for ways out are called at mailboxes."""

Section = MailboxSection | WayOutSection
Told = Callable[[Step], None]


@dataclass(frozen=True, kw_only=True)
class Place:
    """A section, and what it takes to try it."""

    section: Section
    proxy: ProxySection | None
    sealed: Sealed
    clock: Clock

    @property
    def around(self) -> dict[str, Any]:
        """What trials are given beside the section."""
        return {"proxy": self.proxy, "sealed": self.sealed, "clock": self.clock}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What came of it; `reason` is why it does not work, in the words of whoever said no.

    `temporary`: it may pass by itself. `advice` is what to do where there is no diagnosis.
    """

    works: bool
    steps: tuple[Step, ...] = ()
    reason: str = ""
    temporary: bool = False
    diagnosis: Diagnosis | None = None
    advice: str = ""


@dataclass
class _Try:
    """What is known so far. After `closed` nothing is added: whoever waited for it has gone on."""

    steps: list[Step] = field(default_factory=list)
    way: Walk | None = None
    finding: Finding | None = None
    fault: Exception | None = None
    closed: bool = False

    def confirm(self) -> None:
        """Raises LeaseLost where somebody was told already that it came to no end."""
        if self.closed:
            raise LeaseLost("it took too long")


def examined(places: Iterable[Place]) -> Iterator[tuple[Place, Finding]]:
    """Try each as `trial` does, some at once; the findings come in order. None takes longer than LONGEST."""
    given: list[tuple[Place, Future[Finding]]] = [(place, Future()) for place in places]
    waiting = deque(given)
    for number in range(min(AT_ONCE, len(given))):
        # None is waited for where a person ends it all by Ctrl-C.
        threading.Thread(target=_examine, args=(waiting,), name=f"examine {number}", daemon=True).start()
    for place, found in given:
        yield place, found.result()


def _examine(waiting: deque[tuple[Place, Future[Finding]]]) -> None:
    """One after the other, as long as there are any."""
    with suppress(IndexError):
        while True:
            place, found = waiting.popleft()
            try:
                found.set_result(_examined(place))
            except Exception as error:  # noqa: BLE001 - a fault of ours is raised where somebody waits for it
                found.set_exception(error)


def handed_over(place: Place, mail: Outbound, told: Told) -> Finding:
    """Send a mail by a way out, not by the outbox; each step is given to *told* when it was taken.

    Nobody tries it again: where it was cut off, only the server knows whether it has it.
    """
    return _bounded(lambda tried: _handed_over(place, mail, tried), place, told)


def _examined(place: Place) -> Finding:
    def walk(_: _Try) -> Finding:
        deque(trial(place.section, **place.around), maxlen=0)  # to its end
        return Finding(works=True)

    return _bounded(walk, place, lambda _: None)


def _handed_over(place: Place, mail: Outbound, tried: _Try) -> Finding:
    assert isinstance(place.section, WayOutSection)
    section = replace(patient(place.section), pipelining=False)  # so that each step has its own answer
    tokens = tokens_for(section, **place.around)
    with closing(sink_for(section, place.proxy, tokens, place.clock)) as sink:
        delivery = sink.send(mail, tried.confirm)
    refused = next((one for one in delivery.receipts if one.state is not RecipientState.SENT), None)
    if refused is None:
        return Finding(works=True)
    diagnosis = diagnose_receipt(refused, delivery.server)
    temporary = refused.state is RecipientState.WAITING
    reason = f"{refused.code} {refused.text}".strip()
    return Finding(works=False, reason=reason, temporary=temporary, diagnosis=diagnosis)


def _bounded(walk: Callable[[_Try], Finding], place: Place, told: Told) -> Finding:
    """What *walk* finds within LONGEST, in a thread that may be left behind."""
    tried = _Try()

    def hear(step: Step) -> None:
        if not tried.closed:
            tried.steps.append(step)
            told(step)

    thread = threading.Thread(target=_run, args=(walk, place, tried, hear), name="examine one", daemon=True)
    thread.start()
    thread.join(LONGEST)
    tried.closed = True
    if tried.fault is not None:
        raise tried.fault
    found = tried.finding
    if found is None:
        now = tried.way.name if tried.way is not None else ""
        error = Unreachable("", now or "try", f"no end within {LONGEST:.0f} seconds")
        late = Step(error.action, StepState.FAILED, error.reason, LONGEST)
        tried.steps.append(late)
        told(late)
        found = _failed(error, place.section)
    return replace(found, steps=tuple(tried.steps))


def _run(walk: Callable[[_Try], Finding], place: Place, tried: _Try, hear: Told) -> None:
    with heard(hear) as way:
        tried.way = way
        try:
            found = walk(tried)
            if found.works:
                way.end()
            else:
                way.fail(found.reason, "hand over")
            tried.finding = found
        except RemoteError as error:
            if steps.now() == steps.TLS and "certificate" in error.reason:
                way.tell(presented(place.section, **place.around))
            way.fail(error.reason, error.action)
            tried.finding = _failed(error, place.section)
        except OperatorError as error:  # raised where somebody waits for it
            tried.fault = error
        except Exception as fault:  # noqa: BLE001 - a fault of ours at one section keeps none of the others from a trial
            words = in_a_line(fault)
            way.fail(words, "try")
            tried.finding = Finding(works=False, reason=words, advice=REPORT)


def _failed(error: RemoteError, section: Section) -> Finding:
    diagnosis = diagnose_error(error)
    if diagnosis is not None and isinstance(section, MailboxSection):
        diagnosis = _of_mailbox(diagnosis, section) if diagnosis.who not in OF_MAILS else None
    advice = "" if diagnosis else remedy(error)
    return Finding(works=False, reason=error.reason, temporary=error.temporary, diagnosis=diagnosis, advice=advice)


def _of_mailbox(diagnosis: Diagnosis, section: MailboxSection) -> Diagnosis:
    """With the names that a mailbox's options and ports have, for the table speaks of ways out."""
    remedy = diagnosis.remedy.replace("mail.smtp.", f"mail.{section.protocol_name}.")
    for pattern, words in AT_MAILBOXES.items():
        remedy = re.sub(pattern, words, remedy)
    return replace(diagnosis, remedy=remedy)
