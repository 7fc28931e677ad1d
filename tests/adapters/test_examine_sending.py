"""A test mail tells each step as it is taken, and what is refused in the words of the server."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from emaild.net.steps import Step
from tests.adapters.examining import (
    JOE,
    OK,
    Doctor,
    failure,
    names,
    text,
    way,
)
from tests.adapters.scripts import SmtpScript, says
from tests.servers.faulty_smtp import CUT, HOLD, FaultySmtp
from tests.servers.postfix import Postfix
from tests.servers.scripted import Scripted
from tests.servers.wait import eventually


def test_dynamics_14_a_test_mail_tells_each_step_as_it_is_taken_and_what_the_server_calls_it(
    doctor: Doctor, postfix: Callable[..., Postfix]
) -> None:
    told: list[Step] = []
    found = doctor.sends(way(postfix().smtp), told=told.append)
    assert found.works
    assert tuple(told) == found.steps
    assert names(found, OK) == ["name", "connect", "greeting", "EHLO", "sender", "recipient", "data", "end of data"]
    assert "queued as" in text(found, "end of data")


@pytest.mark.parametrize(
    ("command", "reply", "step", "cause"),
    [
        ("MAIL", "550 5.7.60 Client does not have permissions to send as this sender", "sender", ""),
        ("RCPT", "550 5.1.1 no such user", "recipient", "mailbox-unknown"),
        ("DATA", "554 5.7.1 Message rejected as spam", "end of data", ""),
        ("DATA", CUT, "end of data", "connection-broken"),
        ("MAIL", "451 4.3.0 try again later", "sender", ""),
    ],
)
def test_a_refusal_is_told_at_its_step_in_the_words_of_the_server(
    doctor: Doctor, faulty_smtp: Callable[..., FaultySmtp], command: Any, reply: str, step: str, cause: str
) -> None:
    server = faulty_smtp(replies={command: [reply]})
    found = doctor.sends(way(server.smtp))
    assert failure(found)[0] == step
    assert found.diagnosis is not None
    assert cause in (found.diagnosis.cause, "")
    if reply != CUT:
        assert reply in text(found, step)
        assert server.mails == []
    assert found.temporary == (reply == CUT or reply[0] == "4")


def test_each_step_is_taken_alone_though_the_server_could_take_them_together(
    doctor: Doctor, postfix: Callable[..., Postfix]
) -> None:
    """Else nobody could tell how far it came: Postfix has PIPELINING, and answers to DATA after a refusal, too."""
    refusing = {"smtpd_recipient_restrictions": f"check_recipient_access inline:{{{JOE}=REJECT}}"}
    found = doctor.sends(way(postfix(options=refusing).smtp))
    assert failure(found)[0] == "recipient"
    assert "Access denied" in found.reason


def test_what_was_given_up_is_not_sent_too_late(
    doctor: Doctor, faulty_smtp: Callable[..., FaultySmtp], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody was told that the mail was not sent, and the server answers after that."""
    monkeypatch.setattr("emaild.jobs.examine.LONGEST", 0.5)
    server = faulty_smtp(replies={"RCPT": [HOLD]})
    found = doctor.sends(way(server.smtp))
    assert failure(found)[0] == "recipient"
    server.release()
    eventually(lambda: "examine one" not in [thread.name for thread in threading.enumerate()])
    assert server.mails == []


def test_data_that_is_refused_before_the_mail_is_told(doctor: Doctor, scripted: Callable[..., Scripted]) -> None:
    server = scripted(SmtpScript({"DATA": says("554 5.3.4 not today")}))
    assert failure(doctor.sends(way(server.port)))[0] == "data"


def test_a_mail_that_the_server_cannot_take_is_told_before_it_is_offered(
    doctor: Doctor, faulty_smtp: Callable[..., FaultySmtp]
) -> None:
    found = doctor.sends(way(faulty_smtp(size_limit=100).smtp), raw=b"Subject: x\r\n\r\n" + b"x" * 60 + b"\r\n" * 100)
    assert not found.works
    assert "the server takes 100 at most" in found.reason
