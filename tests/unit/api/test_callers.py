"""Whose mail it is that programs send: which way it takes, in whose name, who waits for it, and what is too big."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from emaild.api.callers import caller_of
from emaild.api.given import FinishedMailQuery, MailGiven
from emaild.api.mail_given import Writer
from emaild.api.problems import Kind, Problem
from emaild.api.tokens import FILE
from emaild.message import Outbound
from emaild.services.office import Office
from emaild.settings.load import Settings
from emaild.settings.routes import STATE_CALLER
from emaild.store import Store
from tests.clock import START
from tests.conf_files import ConfFiles

CONF = """
[smtp-client]
server = a
[smtp-client-crm]
server = b
callers = api-token-crm
[smtp-client-state]
server = c
callers = api-token
[smtp-client-people]
server = d
[smtp-client-corp]
server = e
senders = @corp.example
sender-override = way@corp.example
[smtp-client-office]
server = smtp.office365.com
senders = @office.example
maximum-message-size = 100 KiB
[smtp-client-small]
server = f
senders = @small.example
maximum-attachment-size = 100 KiB
[email-processing]
interactive-way-out = smtp-client-people
"""
TOKENS = """
[API-Token-CRM]
token = 0123456789abcdef
[api-token-desk]
token = 0123456789abcdeg
interactive = true
sender-override = Desk <desk@shop.example>
[api-token-corp]
token = 0123456789abcdeh
sender-override = any@corp.example
"""


@pytest.fixture
def settings(conf: ConfFiles) -> Settings:
    return conf.load(CONF + TOKENS)


class Program:
    """A program with that token, and what it says of who waits."""

    def __init__(self, settings: Settings, store: Store, client: str, interactive: bool | None = None) -> None:
        office = Office(settings=settings, store=store, caller=caller_of(settings, client, interactive))
        self._writer = Writer(office, START)

    def sends(self, sender: str = "ann@example.com", way_out: str = "", **given: object) -> Outbound:
        """A mail in JSON."""
        mail = {"from": sender, "to": ["bob@example.net"], "text": "Hi", "way_out": way_out} | given
        return self._writer.written(MailGiven.model_validate(mail))

    def finished(self, raw: bytes, **query: object) -> Outbound:
        """A finished mail."""
        return self._writer.finished(raw, FinishedMailQuery.model_validate(query))


def test_a_program_is_known_by_its_section_in_any_case(settings: Settings, store: Store) -> None:
    assert Program(settings, store, "API-Token-CRM").sends().way_out == "smtp-client-crm"
    assert Program(settings, store, "corp").sends("x@y.example").way_out == "smtp-client-corp"


def test_the_token_of_the_state_directory_is_a_caller(conf: ConfFiles, store: Store) -> None:
    settings = conf.load(CONF)
    assert FILE == STATE_CALLER
    assert Program(settings, store, FILE).sends().way_out == "smtp-client-state"
    assert Program(settings, store, "gone").sends().way_out == "smtp-client"
    assert not [warning for warning in settings.warnings if "nothing is called api-token;" in str(warning)]


def test_a_way_that_is_named_wins_over_all_that_claim(settings: Settings, store: Store) -> None:
    crm = Program(settings, store, "API-Token-CRM")
    assert crm.sends(way_out="smtp-client-People").way_out == "smtp-client-people"
    raw = b"From: ann@corp.example\nTo: bob@example.net\n\nHi\n"
    assert crm.finished(raw, way_out="smtp-client").way_out == "smtp-client"
    with pytest.raises(Problem, match="no way out nowhere") as refused:
        crm.sends(way_out="nowhere")
    assert refused.value.kind is Kind.NO_WAY_OUT


@pytest.mark.parametrize(
    ("client", "said", "waits"),
    [
        ("desk", None, True),
        ("desk", False, False),
        ("other", None, False),
        ("other", True, True),
        (FILE, None, False),
        (FILE, True, True),
    ],
)
def test_dynamics_1_who_waits_is_said_by_the_request_else_by_the_token(
    settings: Settings, store: Store, client: str, said: bool | None, waits: bool
) -> None:
    mail = Program(settings, store, client, said).sends()
    assert mail.interactive is waits
    if client != FILE:
        assert mail.way_out == ("smtp-client-people" if waits else "smtp-client")


def test_dynamics_10_the_override_of_a_token_wins_for_written_and_for_finished_mails(
    settings: Settings, store: Store
) -> None:
    desk = Program(settings, store, "desk")
    raw = b"From: Zoe <zoe@x.example>\nTo: bob@example.net\nReply-To: help@x.example\n\nHi\n"
    for mail, answers in ((desk.sends(), b"ann@example.com"), (desk.finished(raw), b"help@x.example")):
        assert mail.sender == "desk@shop.example"
        assert b"\r\nFrom: Desk <desk@shop.example>\r\n" in b"\r\n" + mail.raw
        assert mail.raw.count(b"Reply-To: " + answers + b"\r\n") == 1
    assert Program(settings, store, "other").sends("x@corp.example").sender == "way@corp.example"
    assert Program(settings, store, "corp").sends("x@corp.example").sender == "any@corp.example"


def test_dynamics_2_a_mail_that_is_too_big_is_refused_with_both_sizes(settings: Settings, store: Store) -> None:
    program = Program(settings, store, "other")
    raw = b"From: ann@office.example\nTo: bob@example.net\n\n" + b"word\n" * 25_000
    mails: list[Callable[[], Outbound]] = [
        lambda: program.finished(raw),
        lambda: program.sends("ann@office.example", text="word\n" * 25_000),
    ]
    for send in mails:
        with pytest.raises(Problem, match=r"\[smtp-client-office\] maximum-message-size is 100.0 KiB \(102400") as told:
            send()
        assert told.value.kind is Kind.MAIL_TOO_BIG


def test_dynamics_2_files_are_measured_decoded(settings: Settings, store: Store) -> None:
    program = Program(settings, store, "other")

    def attached(size: int) -> Outbound:
        file = {"name": "plan.pdf", "content": base64.b64encode(bytes(size)).decode()}
        return program.sends("ann@small.example", attachments=[file, {**file, "name": "other.pdf"}])

    assert len(attached(100 << 10).raw) > 260 << 10
    with pytest.raises(Problem, match=r"the file 'plan.pdf' has 100.0 KiB \(102401 bytes\)") as told:
        attached((100 << 10) + 1)
    assert told.value.kind is Kind.MAIL_TOO_BIG


def test_dynamics_2_what_cannot_be_measured_is_not_taken(settings: Settings, store: Store) -> None:
    parts = b"--b\nContent-Type: image/png\n\n%s\n" % (b"x" * 100) * 1500
    head = b'From: a@small.example\nTo: b@x.example\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n'
    with pytest.raises(Problem, match="the files in the mail cannot be measured"):
        Program(settings, store, "other").finished(head + parts + b"--b--\n")


def test_dynamics_12_a_domain_without_a_dot_is_no_recipient_for_office_365(settings: Settings, store: Store) -> None:
    program = Program(settings, store, "other")
    with pytest.raises(Problem, match="bob@contoso has a domain without a dot") as told:
        program.sends("ann@office.example", bcc=["bob@contoso"])
    assert told.value.kind is Kind.WRONG_MAIL
    assert program.sends("ann@example.com", bcc=["bob@contoso"]).recipients[1:] == ("bob@contoso",)
