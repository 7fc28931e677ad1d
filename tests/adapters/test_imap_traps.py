"""IMAP servers that answer strangely: each answer is told as what it is, and no mail is lost to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import structlog

from emaild.errors import Busy, Rejected, Unreachable
from emaild.settings.mailbox import AfterFetch, FirstFetch, MailboxType
from emaild.settings.secret import Secret
from emaild.settings.server import Security
from emaild.sources import Source
from tests.adapters.scripts import Answer, ImapScript, body, says, wanted
from tests.adapters.turns import Sources, mail, subjects, turn
from tests.servers.authority import Authority
from tests.servers.scripted import Dialog, Gone, Scripted

THREE = {uid: mail(name) for uid, name in ((11, "one"), (12, "two"), (13, "three"))}


@pytest.fixture
def imap(authority: Authority) -> Iterator[Callable[..., Source]]:
    """Makes sources of scripted servers, without TLS and taking all mails, and closes them."""
    with Sources(MailboxType.IMAP, 0, authority) as sources:

        def source(server: Scripted, **given: Any) -> Source:
            fields = {"security_given": Security.NONE, "first_fetch": FirstFetch.ALL}
            return sources("joe", port=server.port, **(fields | given))

        yield source


def bodies(replaced: Mapping[int, Callable[[Dialog, str], None]]) -> ImapScript:
    """A server of three mails that answers FETCH BODY in a way of its own wherever one of these UIDs is asked for."""

    def fetch(dialog: Dialog, tag: str, rest: str) -> None:
        strange = [uid for uid in wanted(rest) if uid in replaced]
        if "BODY" in rest and strange:
            replaced[strange[0]](dialog, tag)
        else:
            script.fetch(dialog, tag, rest)

    script = ImapScript(THREE, {"UID FETCH": fetch})
    return script


# Before the mails


@pytest.mark.parametrize(
    ("greeting", "kind", "reason"),
    [
        ("* BYE too many connections", Busy, r"connect: \* BYE too many connections"),
        ("HTTP/1.1 400 Bad Request", Unreachable, "connect: what the server says is no IMAP"),
        ("", Unreachable, "connect: what the server says is no IMAP"),
    ],
)
def test_greeting_that_is_none(
    scripted: Callable[..., Scripted], imap: Callable[..., Source], greeting: str, kind: type[Exception], reason: str
) -> None:
    """RFC 3501 §7.1.5: BYE as a greeting turns a client away."""
    with pytest.raises(kind, match=reason):
        imap(scripted(ImapScript({}, {"greeting": says(greeting)}))).open()


def test_password_is_not_sent_where_starttls_is_not_offered(
    scripted: Callable[..., Scripted], imap: Callable[..., Source]
) -> None:
    server = scripted(ImapScript({}))
    with pytest.raises(Rejected, match="STARTTLS: the server does not offer it"):
        imap(server, security_given=Security.START_TLS).open()
    assert not [line for line in server.transcript if "LOGIN" in line or "secret" in line]


def test_password_is_not_sent_where_starttls_is_refused(
    scripted: Callable[..., Scripted], imap: Callable[..., Source]
) -> None:
    refuses: dict[str, Answer] = {"STARTTLS": says("TAG NO not now")}
    server = scripted(ImapScript({}, refuses, capabilities="IMAP4rev1 STARTTLS"))
    with pytest.raises(Rejected, match="STARTTLS: "):
        imap(server, security_given=Security.START_TLS).open()
    assert not [line for line in server.transcript if "LOGIN" in line or "secret" in line]


def test_password_beyond_ascii_is_sent_by_plain(scripted: Callable[..., Scripted], imap: Callable[..., Source]) -> None:
    """RFC 4616 §2: UTF-8. LOGIN could not carry it (RFC 3501 §9)."""

    def authenticate(dialog: Dialog, tag: str, rest: str) -> None:
        assert rest == "PLAIN"
        dialog.send("+ ")
        assert dialog.readline() == b"AGpvZQBnZWhlaW3DnA=="
        dialog.send(f"{tag} OK in")

    server = scripted(ImapScript(THREE, {"AUTHENTICATE": authenticate}))
    assert subjects(turn(imap(server, password=Secret("geheimÜ"))).raws) == ["one", "two", "three"]


def test_folder_that_cannot_be_written_is_rejected_unless_it_is_only_read(
    scripted: Callable[..., Scripted], imap: Callable[..., Source]
) -> None:
    def read_only(dialog: Dialog, tag: str, rest: str) -> None:
        dialog.send("* 3 EXISTS", "* OK [UIDVALIDITY 7] ok", "* OK [UIDNEXT 14] next", f"{tag} OK [READ-ONLY] done")

    server = scripted(ImapScript(THREE, {"SELECT": read_only, "EXAMINE": read_only}))
    with pytest.raises(Rejected, match="open folder INBOX: the server lets it be read only"):
        turn(imap(server))
    assert subjects(turn(imap(server, after_fetch=AfterFetch.LEAVE)).raws) == ["one", "two", "three"]


def test_folder_whose_server_does_not_tell_uidnext_is_read_from_its_last_mail_on(
    scripted: Callable[..., Scripted], imap: Callable[..., Source]
) -> None:
    """RFC 3501 §6.3.1: without UIDNEXT a client must find out for itself."""
    select = says("* 3 EXISTS", "* OK [UIDVALIDITY 7] ok", "TAG OK selected")
    script = ImapScript(THREE, {"SELECT": select})
    source = imap(scripted(script), first_fetch=FirstFetch.NEW)
    contact = turn(source)
    assert (contact.mails, contact.listing.held) == ((), 3)
    script.mails[14] = mail("four")
    assert subjects(turn(source, contact.cursor).raws) == ["four"]


def test_hundreds_of_thousands_of_mails_are_listed(
    scripted: Callable[..., Scripted], imap: Callable[..., Source]
) -> None:
    """In several answers, because imaplib takes no line above a million octets."""
    highest = 2**32 - 1
    server = scripted(ImapScript(dict.fromkeys(range(highest - 200_000, highest), b"")))
    source = imap(server)
    source.open()
    listing = source.look(None)
    assert (len(listing.keys), len(set(listing.keys))) == (200_000, 200_000)
    assert (listing.keys[0], listing.keys[-1]) == (f"7/{highest - 200_000}", f"7/{highest - 1}")


# The mails


def test_mail_that_the_server_will_not_give_is_told_of_and_the_others_are_taken(
    scripted: Callable[..., Scripted], imap: Callable[..., Source]
) -> None:
    refuses = {12: lambda dialog, tag: dialog.send(f"{tag} NO the message could not be fetched")}
    with structlog.testing.capture_logs() as said:
        assert subjects(turn(imap(scripted(bodies(refuses)))).raws) == ["one", "three"]
    (told,) = [event for event in said if event["event"] == "mail.refused"]
    assert told["key"] == "7/12"
    assert "could not be fetched" in told["reason"]


def test_mails_whose_sizes_the_server_will_not_tell_are_taken(
    scripted: Callable[..., Scripted], imap: Callable[..., Source]
) -> None:
    def fetch(dialog: Dialog, tag: str, rest: str) -> None:
        if "RFC822.SIZE" in rest:
            dialog.send("* 1 FETCH (UID 11 RFC822.SIZE 43)", f"{tag} NO some sizes are not known")
        else:
            script.fetch(dialog, tag, rest)

    script = ImapScript(THREE, {"UID FETCH": fetch})
    assert subjects(turn(imap(scripted(script))).raws) == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("item", "raw"),
    [
        ("BODY[] NIL", b""),
        ('BODY[] ""', b""),
        ("BODY[] {0}\r\n", b""),
        ('BODY[] "Subject: \\"quoted\\""', b'Subject: "quoted"'),
        ('INTERNALDATE "99-Foo-2026 10:00:00 +0000" BODY[] {5}\r\na: b\n', b"a: b\n"),
        ("FLAGS (\\Seen) BODY[] {2}\r\n)\n RFC822.SIZE 2", b")\n"),
    ],
)
def test_body_is_understood_in_every_form(
    scripted: Callable[..., Scripted], imap: Callable[..., Source], item: str, raw: bytes
) -> None:
    """RFC 3501 §4.3, §4.5: a string is a literal or quoted, and NIL where there is none."""

    def answer(dialog: Dialog, tag: str) -> None:
        dialog.send_raw(f"* 3 FETCH (UID 13 {item})\r\n{tag} OK done\r\n".encode())

    source = imap(scripted(bodies({13: answer})))
    source.open()
    source.look(None)
    assert [[one.raw for one in batch] for batch in source.fetch(["7/13"])] == [[raw]]


def test_news_of_other_mails_among_the_answers_is_no_mail(
    scripted: Callable[..., Scripted], imap: Callable[..., Source]
) -> None:
    """RFC 3501 §7: a server may tell of anything at any time; sequence number 11 is not UID 11."""

    def answer(dialog: Dialog, tag: str) -> None:
        dialog.send("* 11 FETCH (FLAGS (\\Seen))", "* 99 EXISTS", "* 12 FETCH (UID 99 FLAGS ())", "* OK busy")
        dialog.send_raw(body(1, 11, THREE[11]) + body(3, 13, THREE[13]))
        dialog.send("* 13 FETCH (FLAGS (\\Deleted))", f"{tag} OK done")

    assert [one.key for one in turn(imap(scripted(bodies({12: answer})))).mails] == ["7/11", "7/13"]


def test_literal_of_the_wrong_length_ends_the_connection_and_its_text_is_not_told(
    scripted: Callable[..., Scripted], imap: Callable[..., Source]
) -> None:
    def short(dialog: Dialog, tag: str) -> None:
        dialog.send_raw(b"* 1 FETCH (UID 11 BODY[] {5}\r\nSubject: private matter\r\n\r\nDear Sir\r\n)\r\n")
        dialog.send(f"{tag} OK done")

    with pytest.raises(Unreachable, match="fetch: what the server says is no IMAP") as failure:
        turn(imap(scripted(bodies({11: short}))))
    assert "private" not in str(failure.value)


def test_server_that_says_bye_is_unreachable(scripted: Callable[..., Scripted], imap: Callable[..., Source]) -> None:
    """RFC 3501 §7.1.5: a shutdown is announced, and the connection closed."""

    def farewell(dialog: Dialog, tag: str) -> None:
        dialog.send("* BYE Server shutting down.")
        raise Gone

    with pytest.raises(Unreachable, match=r"fetch: .*Server shutting down"):
        turn(imap(scripted(bodies({11: farewell}))))


def test_server_without_uidplus_and_move_is_served_by_older_commands(
    scripted: Callable[..., Scripted], imap: Callable[..., Source]
) -> None:
    """RFC 6851 §3.3 names them."""
    folder = says('* LIST () "/" Done', "TAG OK done")
    server = scripted(ImapScript(THREE, {"LIST": folder}, capabilities="IMAP4rev1"))
    turn(imap(server, after_fetch=AfterFetch.MOVE, after_fetch_folder="Done"))
    commands = [line.split(" ", 3)[-1] for line in server.transcript if " C: " in line]
    assert [command for command in commands if command.startswith(("UID COPY", "UID STORE", "EXPUNGE", "CREATE"))] == [
        'UID COPY 11,12,13 "Done"',
        "UID STORE 11,12,13 +FLAGS.SILENT (\\Deleted)",
        "EXPUNGE",
    ]


# Special uses


@pytest.mark.parametrize(
    ("listed", "use", "opened"),
    [
        ((r'(\HasNoChildren \Archive) "/" Old',), r"\Archive", "Old"),
        ((r'(\HasNoChildren) "/" Some', r'(\HasNoChildren \All) "/" "[Gmail]/All Mail"'), r"\All", "[Gmail]/All Mail"),
        ((r"(\All) NIL 4711",), r"\All", "4711"),
        ((r'(\HasNoChildren) "/" Some',), r"\HasNoChildren", None),
        ((r'(7 (\All)) "/" Some',), r"\All", None),
        ((r'NIL "/" Some',), r"\All", None),
        ((r'(\All) "/"',), r"\All", None),
        ((), r"\All", None),
    ],
)
def test_special_use_is_found_in_whatever_list_says(
    scripted: Callable[..., Scripted],
    imap: Callable[..., Source],
    listed: tuple[str, ...],
    use: str,
    opened: str | None,
) -> None:
    """Without LIST-EXTENDED a server names them among the other attributes (RFC 6154 §2)."""
    answers = {"LIST": says(*(f"* LIST {line}" for line in listed), "TAG OK done")}
    server = scripted(ImapScript(THREE, answers))
    source = imap(server, folder_path=use)
    if opened is None:
        source.open()
        with pytest.raises((Rejected, Unreachable)):
            source.look(None)
        return
    assert subjects(turn(source).raws) == ["one", "two", "three"]
    turn(source)
    asked = [line for line in server.transcript if "LIST" in line and " C: " in line]
    assert len(asked) == 1, "once a connection"
    assert any(f'SELECT "{opened}"' in line for line in server.transcript)
