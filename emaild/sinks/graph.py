"""Mail out over Microsoft Graph, as the bytes that it is (Graph, sendMail in MIME format).

Only 202 says that Exchange has it. Where no answer comes it may have it all the same: a mail that was, or may have
been, tried before is looked for in Sent Items, and is sent again under its Message-ID where it is not there. There is
no envelope: what the header says is made to agree with it, and a null sender is the mailbox. Exchange writes the mail
anew before it goes on.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

from emaild import fault_points
from emaild.clock import Clock
from emaild.errors import Unreachable
from emaild.fault_points import FaultPoint
from emaild.message import Delivery, Outbound, Receipt, RecipientState, new_id
from emaild.net.graph import Graph, failed
from emaild.net.graph_answer import Answer
from emaild.net.graph_http import NotAsked
from emaild.settings.way_out import WayOutSection
from emaild.sinks import Confirm
from emaild.sinks.envelope import addressed, author
from emaild.sinks.graph_draft import Drafts, NotDone
from emaild.sinks.graph_files import File, apart, is_sealed
from emaild.sinks.graph_sent import was_sent

MOST_DIRECT = 3_000_000  # bytes of a mail; in base64 they are 4,000,000, and a request may have 4 MB
ACCEPTED = 202
TOO_LARGE = (200, 413)  # 200: nothing was sent, which Graph has answered for mails that were too large
DENIED_AUTHOR = "ErrorSendAsDenied"


class GraphSink:
    """A mailbox that sends."""

    def __init__(self, section: WayOutSection, graph: Graph, clock: Clock) -> None:
        self._section = section
        self._graph = graph
        self._clock = clock
        self._drafts = Drafts(graph, section.name)
        self._used: float | None = None  # when the connection last did something, on the monotonic clock
        self._born = new_id(clock.now())  # ids sort by time: what is older may have been tried by a daemon that died

    def send(self, mail: Outbound, confirm: Confirm) -> Delivery:
        """All recipients get the same answer, for Graph takes a mail as a whole."""
        receipts = self._receipts(mail, confirm)
        return Delivery(receipts=tuple(receipts), server=str(self._graph), tls=self._graph.tls)

    def _receipts(self, mail: Outbound, confirm: Confirm) -> list[Receipt]:
        sender = author(mail.raw)
        if sender.lower() != self._graph.user.lower() and not self._section.allow_delegate:
            text = f"From is {sender or 'missing'} and not {self._graph.user}; allow-delegate = true would be right"
            return _all(mail, RecipientState.FAILED, "553", text)
        mail = replace(mail, raw=addressed(mail.raw, mail.recipients))
        parts = apart(mail.raw, MOST_DIRECT)
        if parts is None:
            return _too_large(mail)
        self._graph.open()
        try:
            receipts = self._found(mail) or self._judged(mail, self._sent(mail, *parts, confirm))
        except NotAsked:  # the way does not work, and the mail is as it was
            raise
        except Unreachable as error:
            receipts = _all(mail, RecipientState.WAITING, "", f"{error.action}: {error.reason}")
        finally:
            self._used = self._clock.monotonic()
        self._graph.lane.offered.discard(mail.id)  # from now on its attempts tell
        return receipts

    def _found(self, mail: Outbound) -> list[Receipt]:
        """Its receipts where an earlier try was accepted and nobody heard of it; none where it is to be sent."""
        offered = self._graph.lane.offered
        tried = mail.attempts or mail.id < self._born or mail.id in offered
        offered.add(mail.id)
        if not tried:
            return []
        found = was_sent(self._graph, mail)
        if isinstance(found, Answer):
            return self._judged(mail, found)
        text = "an earlier try was accepted by Microsoft Graph: it lies in Sent Items"
        return _all(mail, RecipientState.SENT, str(ACCEPTED), text) if found else []

    def _sent(self, mail: Outbound, small: bytes, files: list[File], confirm: Confirm) -> Answer | None:
        """What was answered in the end; None: it is too large, and cannot be made smaller."""
        if not files:
            fault_points.reached(FaultPoint.OFFERED)
            confirm()
            answer = self._graph.send("POST", "/sendMail", b64encode(mail.raw))
            if answer.status not in TOO_LARGE:
                return answer
            parts = apart(mail.raw, len(mail.raw) - 1)
            if parts is None:
                return None
            small, files = parts
        try:
            return self._drafts.send(mail, small, files, confirm)
        except NotDone as error:
            return error.answer

    def _judged(self, mail: Outbound, answer: Answer | None) -> list[Receipt]:
        if answer is None:
            return _too_large(mail)
        if answer.status == ACCEPTED:
            fault_points.reached(FaultPoint.ACCEPTED)
            return _all(mail, RecipientState.SENT, "202", "accepted by Microsoft Graph")
        code, text = str(answer.status), answer.reason.removeprefix(f"{answer.status} ")
        if answer.transient or answer.good or answer.status == 410:
            return _all(mail, RecipientState.WAITING, code, text)
        if answer.code == DENIED_AUTHOR:
            advice = "; Exchange must let the mailbox send as that address, or on its behalf"
            return _all(mail, RecipientState.FAILED, code, text + advice)
        if answer.status in (401, 403, 404) or answer.of_the_mailbox:
            raise failed(self._graph, answer, "send")
        return _all(mail, RecipientState.FAILED, code, text)

    def rest(self) -> float | None:
        """Close what was idle for cnx-max-idle-time."""
        if self._used is None:
            return None
        left = self._section.cnx_max_idle_time - (self._clock.monotonic() - self._used)
        if left <= 0:
            self.close()
            return None
        return left

    def close(self) -> None:
        """Drop the connection."""
        self._used = None
        self._graph.close()


def _too_large(mail: Outbound) -> list[Receipt]:
    """Known before anything is sent, and the same at each try."""
    why = "too few of them are attachments that can be taken out of it"
    if is_sealed(mail.raw):
        why = "it is signed or encrypted, so that it must not be taken apart"
    text = f"the mail has {len(mail.raw)} bytes, more than Graph takes at once, and {why}; send it by SMTP"
    return _all(mail, RecipientState.FAILED, "413", text)


def _all(mail: Outbound, state: RecipientState, code: str, text: str) -> list[Receipt]:
    return [Receipt(address=address, state=state, code=code, text=text) for address in mail.recipients]
