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


def test_the_nearer_queue_counts_more(conf: ConfFiles) -> None:
    two = "[smtp-client-a]\nserver = a\nqueues = review, Team One\n[smtp-client-b]\nserver = b\nqueues = sales\n"
    settings = conf.load(two)

    def way(*queues: str) -> str | None:
        found = settings.way_out_for(Wanted(sender="x@y.example", queues=queues))
        return found.name if found else None

    assert way("sales", "review") == "smtp-client-b"
    assert way("review", "sales") == "smtp-client-a"
    assert way("", "sales") == "smtp-client-b"
    assert way("team one") == "smtp-client-a"


def test_an_override_is_the_sender_that_ways_claim(conf: ConfFiles) -> None:
    settings = conf.load(WAYS)
    for override in ("ann@example.com", "Ann <Ann@Example.com>", "<ann@example.com> "):
        caller = Caller(name="api-token-other", sender_override=override)
        assert taken(settings, "x@other.example", caller=caller) == "smtp-client-sales"


def test_a_way_that_rests_is_taken_all_the_same(conf: ConfFiles) -> None:
    resting = WAYS.replace("server = a\n", "server = a\nenable-client = false\n")
    assert taken(conf.load(resting), "ann@example.com") == "smtp-client-sales"


def test_the_token_of_the_state_directory_is_a_caller_that_is_known(conf: ConfFiles) -> None:
    assert conf.warnings("[smtp-client]\nserver = a\ncallers = API-Token\n") == []


# What is doubtful

GRAPH = "server-type = graph\nuser = ann\npassword = x\nclient-id = c\ndirectory-id = d\n"
EWS = "server-type = ews\nuser = ann\npassword = x\nclient-id = c\ndirectory-id = d\nserver = {url}\n"
CLOUD, OWN = "https://outlook.office365.com/EWS/Exchange.asmx", "https://owa.example.com/ews/exchange.asmx"


@pytest.mark.parametrize("kind", [GRAPH, EWS.format(url=CLOUD), EWS.format(url=OWN)])
def test_dynamics_7_graph_and_exchange_have_no_limit_and_one_that_is_set_is_warned_of(
    conf: ConfFiles, kind: str
) -> None:
    assert conf.load(f"[smtp-client]\n{kind}").ways_out["smtp-client"].message_limit == 0
    expected = (
        "[smtp-client] per-minute-limit: Graph and Exchange limit by themselves how much they take, and say how long"
        " to wait; 0 would be right"
    )
    for limit, count in ((30, 1), (0, 0)):
        found = conf.warnings(f"[smtp-client]\n{kind}per-minute-limit = {limit}\n")
        assert [expected in warning for warning in found].count(True) == count


def test_dynamics_9_what_says_nothing_of_a_folder_is_warned_of(conf: ConfFiles) -> None:
    idle = "port = 25\ncnx-pool-size = 2\nprotocol-timeout = 1m\npipelining = false\n"
    used = "retry-first = 1m\nsenders = @x.example\nper-minute-limit = 9\nmail.mime.charset = utf-8\n"
    found = conf.warnings(f"[smtp-client]\nserver-type = eml\neml-directory = {conf.folder}\n{idle}{used}")
    assert found == [
        f"emaild.conf:{line}: [smtp-client] {name}: it has no effect where server-type is eml: a folder is no server"
        for line, name in ((4, "port"), (5, "cnx-pool-size"), (6, "protocol-timeout"), (7, "pipelining"))
    ]


def test_a_folder_that_is_not_there_is_warned_of(conf: ConfFiles) -> None:
    gone = conf.folder / "gone"
    text = f"[smtp-client]\nserver-type = eml\neml-directory = {gone}\n"
    expected = f"emaild.conf:3: [smtp-client] eml-directory: there is no folder {gone}; mails wait until there is"
    assert conf.warnings(text) == [expected]
    assert conf.warnings(text + "enable-client = false\n") == []
    gone.write_text("a file")
    assert conf.warnings(text) == [expected]
    gone.unlink()
    gone.mkdir()
    assert conf.warnings(text) == []


def test_a_folder_without_a_need_for_one_is_warned_of(conf: ConfFiles) -> None:
    assert conf.warnings(f"[smtp-client]\nserver = a\neml-directory = {conf.folder}\n") == [
        "emaild.conf:3: [smtp-client] eml-directory: it has no effect where server-type is smtp; expected eml"
    ]


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ("server-type = eml\n", "1: [smtp-client] eml-directory: it is missing; expected an absolute path"),
        (
            "server-type = eml\neml-directory = drafts\n",
            "3: [smtp-client] eml-directory: expected an absolute path, found 'drafts' (it must start with /, for a"
            " daemon has no folder of its own)",
        ),
        (
            "server-type = eml\neml-directory = /tmp\nserver = a\n",
            "4: [smtp-client] server: server-type is eml, and a folder has no server; leave it out",
        ),
    ],
)
def test_dynamics_9_files_need_a_folder_and_no_server(conf: ConfFiles, lines: str, fault: str) -> None:
    assert conf.faults(f"[smtp-client]\n{lines}") == [f"emaild.conf:{fault}"]
