"""One mail over an SMTP connection: MAIL, RCPT, DATA, the mail and its dot.

Where the server offers PIPELINING (RFC 2920), commands go out in groups, and their answers are read in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from emaild import fault_points
from emaild.fault_points import FaultPoint
from emaild.net import steps
from emaild.sinks import Confirm
from emaild.sinks.smtp_client import SmtpClient
from emaild.sinks.smtp_form import Form
from emaild.sinks.smtp_replies import DISCONNECTED, ENDED, Answer, words
from emaild.sinks.smtp_wire import stuffed

TOO_MANY = 452
TOO_MANY_OF_OLD = 552  # what servers said for it before RFC 5321, §4.5.3.1.10
GO_AHEAD = 354
DATA = b"DATA\r\n"
NAMES = {b"MAIL": "sender", b"RCPT": "recipient", b"DATA": "data"}
END = b".\r\n"
SMALL = 16 << 10  # bytes of a mail that goes out at once with its dot: every system buffers them without waiting
LARGEST_GROUP = 8 << 10
"""Bytes of commands on their way at once. Every system buffers as much, so that writing them never waits for a server
that waits for us to read its answers (RFC 2920 §3.1)."""


@dataclass(frozen=True)
class Outcome:
    """What was answered for each recipient, in order, and as the `last` of all.

    `accepted` are the answers to RCPT where the server has the mail; none where it has not. `code` is that of the
    answer to MAIL.
    """

    recipients: tuple[Answer, ...]
    last: Answer
    accepted: tuple[Answer, ...] = ()
    code: int = 250


def transact(client: SmtpClient, form: Form, confirm: Confirm, *, pipelining: bool, partial: bool) -> Outcome:
    """Offer the mail. With *partial* it goes to those recipients that are taken, else to all or nobody.

    Whatever *confirm* raises goes on; the server then still waits for the end of the mail.
    """
    count = len(form.recipients)
    commands = [form.mail + b"\r\n", *(command + b"\r\n" for command in form.recipients)]
    if pipelining and (partial or count == 1):
        commands.append(DATA)  # else a refused recipient must keep it from all
    answers = _offered(client, _groups(commands) if pipelining else ([command] for command in commands))
    recipients, data = _of_recipients(answers[1 : count + 1]), answers[count + 1 :]
    accepted = sum(map(is_good, recipients))
    if not is_good(answers[0]):
        recipients = [answers[0]] * count
    elif recipients[-1][0] in ENDED:
        recipients = [recipients[-1]] * count
    elif accepted == count or (accepted and partial):
        return _handed_over(client, form.raw, confirm, recipients, data)
    elif accepted:
        recipients = _withheld(form, recipients)
    if data and data[0][0] == GO_AHEAD:  # though nobody is to get it: the end of no mail (RFC 2920 §3.1)
        answers.append(client.ask(b"."))
    return Outcome(tuple(recipients), answers[-1], code=answers[0][0])


def is_good(answer: Answer) -> bool:
    """Whether a command was carried out (RFC 5321 §4.2.1)."""
    return answer[0] // 100 == 2


def _groups(commands: Sequence[bytes]) -> Iterator[list[bytes]]:
    """The commands in order, as many at once as may be on their way."""
    group: list[bytes] = []
    size = 0
    for command in commands:
        if group and size + len(command) > LARGEST_GROUP:
            yield group
            group, size = [], 0
        group.append(command)
        size += len(command)
    yield group


def _offered(client: SmtpClient, groups: Iterable[Sequence[bytes]]) -> list[Answer]:
    """The answers, up to one that ends the session, or to those of the group in which MAIL was refused."""
    answers: list[Answer] = []
    for group in groups:
        client.write(b"".join(group))  # where that fails, an answer may say why
        for command in group:
            steps.begin(NAMES[command[:4]])
            answers.append(client.answer())
            _tell(answers[-1])
            if answers[-1][0] in ENDED:
                return answers
        if not is_good(answers[0]):
            break
    return answers


def _of_recipients(answers: Sequence[Answer]) -> list[Answer]:
    """The answers to RCPT; 552 after one was taken means that these are enough, and the rest may come later."""
    found: list[Answer] = []
    some = False
    for code, text in answers:
        some = some or code // 100 == 2
        found.append((TOO_MANY if some and code == TOO_MANY_OF_OLD else code, text))
    return found


def _withheld(form: Form, answers: Sequence[Answer]) -> list[Answer]:
    """Nobody got it, nor will: each its own refusal, but where that is milder the worst of them."""
    refused = [pair for pair in zip(form.addresses, answers, strict=True) if not is_good(pair[1])]
    address, (code, text) = max(refused, key=lambda pair: pair[1][0] // 100 == 5)
    reason = f"sent to nobody, for the server refused {address}: ".encode() + text
    return [answer if answer[0] // 100 == code // 100 else (code, reason) for answer in answers]


def _handed_over(
    client: SmtpClient, raw: bytes, confirm: Confirm, recipients: Sequence[Answer], data: Sequence[Answer]
) -> Outcome:
    """The mail itself, where DATA, of which *data* is the answer if it was said already, lets it in."""
    if data:
        answer = data[0]
    else:
        steps.begin(NAMES[DATA[:4]])
        answer = client.ask(b"DATA")
        _tell(answer)
    if answer[0] == GO_AHEAD:
        fault_points.reached(FaultPoint.OFFERED)
        answer = _sent(client, raw, confirm)
        if is_good(answer):
            fault_points.reached(FaultPoint.ACCEPTED)
            final = tuple(answer if is_good(one) else one for one in recipients)
            return Outcome(final, answer, tuple(recipients))
    elif answer[0] // 100 in (2, 3):
        answer = DISCONNECTED  # it speaks of something else than we do
    return Outcome(tuple(answer if is_good(one) else one for one in recipients), answer)


def _sent(client: SmtpClient, raw: bytes, confirm: Confirm) -> Answer:
    """The answer to the dot, or to a mail that could not be written down to it."""
    steps.begin("end of data")
    mail = stuffed(raw)
    if len(mail) <= SMALL:
        confirm()
        mail += END
        whole = client.write(mail)
    elif whole := client.write(mail, more=True):
        confirm()
        client.write(END)
    answer = client.answer()
    if whole:
        _tell(answer)
        return answer
    return answer if answer[0] >= 400 else DISCONNECTED


def _tell(answer: Answer) -> None:
    """The server's words, to whoever listens."""
    if answer != DISCONNECTED and steps.is_heard():
        steps.tell(words(answer))
