"""Which way out a mail takes."""

from __future__ import annotations

import pytest

from emaild.settings.load import Settings
from emaild.settings.routes import COMMAND_LINE, SELF, Caller, Wanted
from tests.conf_files import ConfFiles

WAYS = """
[smtp-client-sales]
server = a
senders = Ann@Example.com, @sales.example.com
[smtp-client]
server = b
[smtp-client-rest]
server = c
senders = @example.com
[smtp-client-vip]
server = d
queues = VIP, board
[smtp-client-crm]
server = e
callers = api-token-crm, Command-Line
[api-token-crm]
token = 0123456789abcdef
"""
PERSON = Caller(name="api-token-desk", interactive=True)


def taken(settings: Settings, sender: str = "", queue: str = "", caller: Caller = SELF) -> str:
    """The name of the way that such a mail takes."""
    way = settings.way_out_for(Wanted(sender=sender, queues=(queue,), caller=caller))
    assert way is not None
    return way.name


@pytest.mark.parametrize(
    ("sender", "way"),
    [
        ("ann@example.com", "smtp-client-sales"),
        ("ANN@EXAMPLE.COM", "smtp-client-sales"),
        ("bob@Sales.Example.com", "smtp-client-sales"),
        ("bob@example.com", "smtp-client-rest"),
        ("bob@other.example", "smtp-client"),
        ("bob@notexample.com", "smtp-client"),
        ("", "smtp-client"),
    ],
)
def test_a_mail_goes_the_way_that_claims_its_sender(conf: ConfFiles, sender: str, way: str) -> None:
    assert taken(conf.load(WAYS), sender) == way


def test_a_queue_counts_more_than_a_sender(conf: ConfFiles) -> None:
    settings = conf.load(WAYS)
    assert taken(settings, "ann@example.com", queue="vip") == "smtp-client-vip"
    assert taken(settings, "ann@example.com", queue="Board") == "smtp-client-vip"
    assert taken(settings, "ann@example.com", queue="other") == "smtp-client-sales"


def test_a_caller_counts_more_than_a_queue(conf: ConfFiles) -> None:
    settings = conf.load(WAYS)
    assert taken(settings, "ann@example.com", "vip", Caller(name="api-token-CRM")) == "smtp-client-crm"
    assert taken(settings, "ann@example.com", "vip", Caller(name=COMMAND_LINE)) == "smtp-client-crm"
    assert taken(settings, "ann@example.com", "vip", Caller(name="api-token-other")) == "smtp-client-vip"


def test_without_a_plain_way_out_the_first_one_is_taken(conf: ConfFiles) -> None:
    assert taken(conf.load("[smtp-client-b]\nserver = b\n[smtp-client-a]\nserver = a\n"), "x@y.z") == "smtp-client-b"


def test_without_any_way_out_there_is_none(conf: ConfFiles) -> None:
    assert conf.load("").way_out_for(Wanted(sender="x@y.z")) is None


def test_dynamics_1_what_people_wait_for_and_what_nobody_waits_for_go_ways_of_their_own(conf: ConfFiles) -> None:
    settings = conf.load(
        WAYS + "[email-processing]\ninteractive-way-out = SMTP-client-vip\nbatch-way-out = smtp-client-rest\n"
    )
    assert taken(settings, "x@y.z", caller=PERSON) == "smtp-client-vip"
    assert taken(settings, "x@y.z") == "smtp-client-rest"
    assert taken(settings, "ann@example.com", caller=PERSON) == "smtp-client-sales"


@pytest.mark.parametrize("option", ["interactive-way-out", "batch-way-out"])
def test_a_usual_way_that_is_not_there_is_refused(conf: ConfFiles, option: str) -> None:
    (fault,) = conf.faults(f"[smtp-client]\nserver = a\n[email-processing]\n{option} = smtp-client-b\n")
    expected = (
        f"[email-processing] {option}: there is no section [smtp-client-b]; expected the name of an [smtp-client...]"
    )
    assert fault == f"emaild.conf:4: {expected} section"


def test_a_fallback_that_is_not_there_or_leads_back_is_refused(conf: ConfFiles) -> None:
    assert conf.faults("[smtp-client]\nserver = a\nfallback = nowhere\n") == [
        "emaild.conf:3: [smtp-client] fallback: there is no section [nowhere];"
        " expected the name of an [smtp-client...] section"
    ]
    own = "[smtp-client]\nserver = a\nfallback = smtp-client\n"
    assert conf.faults(own) == [
        "emaild.conf:3: [smtp-client] fallback: it leads back to [smtp-client]; leave it out in one of the sections"
    ]
    ring = "[smtp-client]\nserver = a\nfallback = smtp-client-b\n[smtp-client-b]\nserver = b\nfallback = SMTP-CLIENT\n"
    assert [fault.partition(" fallback: ")[0] for fault in conf.faults(ring)] == [
        "emaild.conf:3: [smtp-client]",
        "emaild.conf:6: [smtp-client-b]",
    ]
    tail = ring + "[smtp-client-c]\nserver = c\nfallback = smtp-client\n"
    assert len(conf.faults(tail)) == 2


def test_a_caller_that_nothing_is_called_is_warned_of(conf: ConfFiles) -> None:
    (warning,) = conf.warnings("[smtp-client]\nserver = a\ncallers = command-line, crm\n")
    assert warning.endswith("callers: nothing is called crm; expected api-token-NAME, rule-NAME or command-line")


@pytest.mark.parametrize(
    ("server", "option", "limit"),
    [
        ("smtp.office365.com", "", 30),
        ("SMTP.Office365.com.", "", 30),
        ("smtp.office365.com", "per-minute-limit = 0", 0),
        ("smtp.office365.com", "per-minute-limit = 12", 12),
        ("smtp.example.com", "", 0),
    ],
)
def test_dynamics_5_office_365_has_its_limit_where_none_is_set(
    conf: ConfFiles, server: str, option: str, limit: int
) -> None:
    assert conf.load(f"[smtp-client]\nserver = {server}\n{option}\n").ways_out["smtp-client"].message_limit == limit


def test_dynamics_3_no_lifetime_is_one_of_30_days(conf: ConfFiles) -> None:
    way = conf.load("[smtp-client]\nserver = a\nmessage-lifetime = 0\n").ways_out["smtp-client"]
    assert way.message_lifetime == 30 * 86400


def test_a_sender_override_that_is_no_address_is_refused(conf: ConfFiles) -> None:
    (fault,) = conf.faults("[smtp-client]\nserver = a\nsender-override = nobody\n")
    assert fault == "emaild.conf:3: [smtp-client] sender-override: expected name@domain, found 'nobody'"
