"""What the options of a section mean together: checks across options, and what follows where nothing is given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from emaild.settings import parse
from emaild.settings.mailbox import AfterFetch, FirstFetch, MailboxSection
from emaild.settings.option import option, options, same_name, section_kind
from emaild.settings.reader import SECTIONS
from emaild.settings.server import Security
from tests.conf_files import MAILBOX, MUST, ConfFiles


def mailbox(conf: ConfFiles, *lines: str) -> MailboxSection:
    return conf.load("[pop-client]\n" + MAILBOX + "\n".join(lines)).mailboxes["pop-client"]


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (["after-fetch = move"], "5: [pop-client] after-fetch: POP3 cannot do 'move'"),
        (["after-fetch = seen"], "5: [pop-client] after-fetch: POP3 cannot do 'seen'; leave or delete would be right"),
        (["", "first-fetch = unseen"], "6: [pop-client] first-fetch: POP3 does not know what was seen"),
        (["type = IMAP", "after-fetch = move"], "6: [pop-client] after-fetch: move needs after-fetch-folder"),
        (
            ["type = IMAP", "after-fetch = move", "after-fetch-folder = INBOX"],
            "7: [pop-client] after-fetch-folder: the folder to move to must be another than folder-path",
        ),
        (["type = IMAP", "Folder_Separator = //"], "6: [pop-client] folder-separator: expected one character"),
        (["type = IMAP", "folder-separator ="], "6: [pop-client] folder-separator: expected one character"),
        (
            ["maximum-attachment-size = 25k"],
            "5: [pop-client] maximum-attachment-size: POP3 cannot leave parts of a mail",
        ),
        (["download-days = 0"], "5: [pop-client] download-days: expected a whole number from 1 to 36500"),
        (["cycle-time = 00:00:00"], "5: [pop-client] cycle-time: expected 0, or a duration from 1s to 1d"),
        (["cycle-time = 500ms"], "5: [pop-client] cycle-time: expected 0, or a duration from 1s to 1d"),
        (
            ["pop-connection-security = start-tls", "enable-ssl = true"],
            "6: [pop-client] enable-ssl: it contradicts pop-connection-security = start-tls",
        ),
    ],
)
def test_what_a_mailbox_cannot_do_is_refused_at_its_line(conf: ConfFiles, lines: list[str], fault: str) -> None:
    faults = conf.faults("[pop-client]\n" + MAILBOX + "\n".join(lines))
    assert any(line.startswith(f"emaild.conf:{fault}") for line in faults), faults


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (["enable-authentication = yes"], "3: [smtp-client] enable-authentication: it needs user and password"),
        (["user = ann"], "3: [smtp-client] user: it needs its partner, password"),
        (["retry-first = 2h"], "1: [smtp-client] retry-maximum: it must not be shorter than retry-first"),
        (["retry-maximum = 30s"], "3: [smtp-client] retry-maximum: it must not be shorter than retry-first"),
    ],
)
def test_what_a_way_out_cannot_do_is_refused_at_its_line_or_the_header(
    conf: ConfFiles, lines: list[str], fault: str
) -> None:
    assert conf.faults("[smtp-client]\nserver = s\n" + "\n".join(lines)) == [f"emaild.conf:{fault}"]


@pytest.mark.parametrize("domain", ["exa mple.com", "a@b", "x,y", "<x>"])
def test_a_domain_for_message_ids_that_is_none_is_refused(conf: ConfFiles, domain: str) -> None:
    (fault,) = conf.faults(f"[email-processing]\ndefault-domain = {domain}\n")
    assert fault.startswith("emaild.conf:2: [email-processing] default-domain: expected a domain")


@pytest.mark.parametrize(
    ("lines", "port"),
    [
        ([], 110),
        (["pop-connection-security = start-tls"], 110),
        (["pop-connection-security = ssl-tls"], 995),
        (["type = imap"], 143),
        (["type = IMAP", "pop-connection-security = ssl-tls"], 993),
        (["type = IMAP", "port = 1143"], 1143),
        (["type = IMAP", "port ="], 143),
    ],
)
def test_the_port_of_a_mailbox_follows_type_and_security(conf: ConfFiles, lines: list[str], port: int) -> None:
    assert mailbox(conf, *lines).port == port


@pytest.mark.parametrize(("security", "port"), [("none", 25), ("start-tls", 25), ("ssl-tls", 465)])
def test_the_port_of_a_way_out_follows_its_security(conf: ConfFiles, security: str, port: int) -> None:
    settings = conf.load(f"[smtp-client]\nserver = s\nsmtp-connection-security = {security}\n")
    assert settings.ways_out["smtp-client"].port == port


def test_what_happens_to_mails_by_default_destroys_nothing(conf: ConfFiles) -> None:
    pop, imap = mailbox(conf), mailbox(conf, "type = IMAP")
    assert (pop.after, pop.first) == (AfterFetch.LEAVE, FirstFetch.NEW)
    assert (imap.after, imap.first) == (AfterFetch.SEEN, FirstFetch.UNSEEN)


def test_what_is_asked_for_goes_before_the_default(conf: ConfFiles) -> None:
    section = mailbox(conf, "type = IMAP", "after-fetch = delete", "first-fetch = all", "begin-date = 2026-01-31")
    assert (section.after, section.first) == (AfterFetch.DELETE, FirstFetch.ALL)
    assert section.begin_date == datetime(2026, 1, 31, tzinfo=UTC)


def test_an_empty_folder_is_the_inbox(conf: ConfFiles) -> None:
    assert mailbox(conf, "type = IMAP", "folder-path =").folder == "INBOX"


def test_the_account_is_what_is_read_whatever_leads_there(conf: ConfFiles) -> None:
    plain = mailbox(conf, "type = IMAP")
    assert plain.account == "imap:ann@localhost/INBOX"
    assert mailbox(conf, "type = IMAP", "pop-connection-security = ssl-tls").account == plain.account
    assert mailbox(conf, "type = IMAP", "folder-path = Sales").account != plain.account
    assert mailbox(conf).account == "pop3:ann@localhost"


@pytest.mark.parametrize(
    ("section", "kinds"),
    [
        ("pop-client", ["pop-client"]),
        ("POP-CLIENT7", ["pop-client"]),
        ("pop-client-sales.eu", ["pop-client"]),
        ("pop-client-7", ["pop-client"]),
        ("pop-client7a", []),
        ("pop-client-", []),
        ("pop-clients", []),
        ("smtp-client1", ["smtp-client"]),
        ("emaild", ["emaild"]),
        ("emaild1", []),
        ("log-x", []),
    ],
)
def test_a_section_belongs_to_a_kind_by_its_name(section: str, kinds: list[str]) -> None:
    assert [section_kind(kind).name for kind in SECTIONS if section_kind(kind).matches(section)] == kinds


def test_two_spellings_of_one_name_are_the_same() -> None:
    assert {same_name(text) for text in ("cycle-time", "Cycle_Time", " CYCLE-time ", "cycleTime")} == {"cycletime"}


def test_an_option_is_named_like_its_field_unless_it_says_otherwise() -> None:
    named = {declared.field: declared.name for declared in options(MailboxSection)}
    assert named["cycle_time"] == "cycle-time"
    assert named["port_given"] == "port"
    assert named["security_given"] == "pop-connection-security"


@pytest.mark.parametrize("kind", SECTIONS, ids=lambda kind: section_kind(kind).name)
def test_what_counts_of_every_option_can_be_shown(conf: ConfFiles, kind: type) -> None:
    named = [section_kind(one).spellings[0].replace("NAME", "x") for one in SECTIONS]
    content = "".join(f"[{name}]\n{MUST.get(name, '')}" for name in named)
    section = next(found for found in conf.load(content).sections().values() if type(found) is kind)
    assert all(hasattr(section, declared.in_effect) for declared in options(kind))


def test_a_default_that_its_own_parser_refuses_cannot_be_declared() -> None:
    with pytest.raises(ValueError):
        option(parse.number(1, 5), default="6", help="Never seen.")


def test_a_cycle_time_of_0_means_by_hand(conf: ConfFiles) -> None:
    assert mailbox(conf, "cycle-time = 0").by_hand
    assert not mailbox(conf, "cycle-time = 1s").by_hand


@pytest.mark.parametrize(
    ("lines", "begin"),
    [
        ([], None),
        (["begin-date = 2026-01-31"], datetime(2026, 1, 31, tzinfo=UTC)),
        (["download-days = 7"], datetime(2026, 2, 23, tzinfo=UTC)),
        (["download-days = 7", "begin-date = 2026-01-31"], datetime(2026, 2, 23, tzinfo=UTC)),
        (["download-days = 7", "begin-date = 2026-03-01"], datetime(2026, 3, 1, tzinfo=UTC)),
    ],
)
def test_mails_are_taken_from_the_later_of_two_days_on(
    conf: ConfFiles, lines: list[str], begin: datetime | None
) -> None:
    """In another zone than ours it is the day before already."""
    now = datetime(2026, 3, 1, 23, 30, tzinfo=timezone(-timedelta(hours=2)))
    assert mailbox(conf, *lines).begin(now) == begin


@pytest.mark.parametrize(
    ("lines", "attachment", "mail"),
    [
        ([], None, None),
        (["maximum-attachment-size = 25k", "retrieve-limit = 512"], 25 << 10, 512),
        (["maximum-attachment-size = 1", "retrieve-limit = 20 KiB"], 1 << 20, 20 << 10),
        (["maximum-attachment-size = 0", "retrieve-limit = 0"], 0, 0),
        (["maximum-attachment-size =", "retrieve-limit ="], None, None),
    ],
)
def test_sizes_of_what_is_taken(conf: ConfFiles, lines: list[str], attachment: int | None, mail: int | None) -> None:
    section = mailbox(conf, "type = IMAP", *lines)
    assert (section.maximum_attachment_size, section.retrieve_limit) == (attachment, mail)


def test_a_mailbox_whose_security_is_encrypted_begins_at_the_port_of_tls(conf: ConfFiles) -> None:
    section = mailbox(conf, "type = IMAP", "pop-connection-security = encrypted", "enable-ssl = true")
    assert (section.security, section.port, section.transport.plain_port) == (Security.ENCRYPTED, 993, 143)
