"""COMPRESS=DEFLATE (RFC 4978), with Dovecot and with a server that compresses by hand."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from emaild.clock import SystemClock
from emaild.errors import Unreachable
from emaild.net.idle import IdleWatch
from emaild.settings.mailbox import AfterFetch, FirstFetch, MailboxType
from emaild.settings.properties import ImapProperties
from emaild.settings.server import Security
from emaild.sources import Source
from tests.adapters.scripts import CAPABILITIES, Answer, ImapScript, says
from tests.adapters.turns import Sources, mail, subjects, turn
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.mails import generated
from tests.servers.scripted import Dialog, Gone, Scripted

COMPRESSED = ImapProperties(compress_enable=True)
Play = Callable[..., tuple[Source, ImapScript, Scripted]]


@pytest.fixture
def real(dovecot: Dovecot, authority: Authority) -> Iterator[Sources]:
    """Sources of mailboxes on the Dovecot that all tests share."""
    with Sources(MailboxType.IMAP, dovecot.imaps, authority) as sources:
        yield sources


class Compressing(Dialog):
    """A server's end that compresses both ways once it said OK to COMPRESS."""

    def __init__(self, dialog: Dialog) -> None:
        self.__dict__ = dialog.__dict__
        self.both: tuple[Any, Any] | None = None
        self._begun = b""

    def begin(self) -> None:
        self.both = zlib.compressobj(wbits=-15), zlib.decompressobj(-15)

    def send_raw(self, data: bytes) -> None:
        if self.both:
            data = self.both[0].compress(data) + self.both[0].flush(zlib.Z_SYNC_FLUSH)
        super().send_raw(data)

    def readline(self) -> bytes:
        if not self.both:
            return super().readline()
        while b"\r\n" not in self._begun:
            data = self._lines.read1()
            if not data:
                raise Gone
            self._begun += self.both[1].decompress(data)
        line, _, self._begun = self._begun.partition(b"\r\n")
        self._server.note(self.number, "C", line)
        return line


def agrees(dialog: Dialog, tag: str, rest: str) -> None:
    """To COMPRESS."""
    assert rest == "DEFLATE"
    dialog.send(f"{tag} OK from now on")
    assert isinstance(dialog, Compressing)
    dialog.begin()


@pytest.fixture
def imap(scripted: Callable[..., Scripted], authority: Authority) -> Iterator[Play]:
    """Makes a source that asks for compression, and the server that it is read from."""
    with Sources(MailboxType.IMAP, 0, authority) as sources:

        def play(
            answers: dict[str, Answer], *, offered: bool = True, tls: bool = False, **given: Any
        ) -> tuple[Source, ImapScript, Scripted]:
            capabilities = f"{CAPABILITIES} COMPRESS=DEFLATE" if offered else CAPABILITIES
            script = ImapScript({11: mail("one")}, {"COMPRESS": agrees} | answers, capabilities=capabilities)
            server = scripted(lambda dialog: script(Compressing(dialog)), authority=authority, tls=tls)
            fields = {
                "security_given": Security.SSL_TLS if tls else Security.NONE,
                "first_fetch": FirstFetch.ALL,
                "imap": COMPRESSED,
            }
            return sources("joe", port=server.port, **(fields | given)), script, server

        yield play


def commands(server: Scripted) -> list[str]:
    return [line.split()[3] for line in server.transcript if " C: " in line]


@pytest.mark.parametrize("security", [Security.SSL_TLS, Security.START_TLS, Security.NONE])
@pytest.mark.parametrize("level", [-1, 9])
def test_mails_come_byte_for_byte_through_compression(
    dovecot: Dovecot, real: Sources, security: Security, level: int
) -> None:
    """What enable-debug shows is what is meant: Dovecot itself agreed, and says nothing uncompressed after that."""
    user = f"compressed-{security}-{level}"
    dovecot.drop(user, [one.raw for one in generated(10, seed=23, largest=90_000)])
    dovecot.drop(user, [mail("large", "all the same " * 5) * 30_000])
    source = real(
        user,
        security_given=security,
        port=dovecot.imaps if security is Security.SSL_TLS else dovecot.imap,
        imap=ImapProperties(compress_enable=True, compress_level=level),
        enable_debug=True,
    )
    with structlog.testing.capture_logs() as told:
        taken = turn(source)
    assert taken.raws == dovecot.held(user)
    said = [event["line"] for event in told if event["event"] == "protocol.sent"]
    assert [line for line in said if "COMPRESS DEFLATE" in line]
    assert [line for line in said if "UID STORE" in line]
    heard = [event["line"] for event in told if event["event"] == "protocol.heard"]
    assert [line for line in heard if "Begin compression" in line]
    assert [line for line in heard if "Store completed" in line]


def test_mail_wakes_a_compressed_idle_connection(dovecot: Dovecot, real: Sources) -> None:
    watch = IdleWatch(SystemClock())
    watch.start()
    source = real("compressed-idle", imap=COMPRESSED)
    cursor = turn(source).cursor
    for name in ("one", "two"):
        wait = source.wait()
        assert wait.connection is not None
        back = threading.Event()
        watch.watch("box", wait.connection, wait.seconds, back.set)
        dovecot.deliver("compressed-idle", mail(name))
        assert back.wait(10)
        taken = turn(source, cursor)
        assert subjects(taken.raws) == [name]
        cursor = taken.cursor
    watch.stop()
    assert len(dovecot.sessions("compressed-idle", 1)) == 1


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_compression_is_agreed_on_after_the_sign_in_and_used_both_ways(imap: Play, tls: bool) -> None:
    source, _, server = imap({}, tls=tls)
    assert subjects(turn(source).raws) == ["one"]
    names = commands(server)
    assert names.index("LOGIN") < names.index("COMPRESS") < names.index("SELECT")
    heard = "".join(line for line in server.transcript if " S: " in line)
    assert "Subject: one" not in heard


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({"offered": False}, False),
        ({"imap": ImapProperties()}, False),
        ({"answers": {"COMPRESS": says("TAG NO [COMPRESSIONACTIVE] TLS does it")}}, True),
    ],
    ids=["not offered", "not enabled", "refused"],
)
def test_without_an_agreement_nothing_is_compressed(imap: Play, given: dict[str, Any], asked: bool) -> None:
    source, _, server = imap(**({"answers": {}} | given))
    assert subjects(turn(source).raws) == ["one"]
    assert ("COMPRESS" in commands(server)) is asked


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("first", [b"+ idling\r\n* 1 EXISTS\r\n", b"* 1 EXISTS\r\n+ idling\r\n", b"+ idling\r\n* 1 EX"])
def test_news_that_are_decompressed_with_the_permission_to_idle_are_not_missed(
    imap: Play, tls: bool, first: bytes
) -> None:
    """They lie in our buffers, where no selector ever sees them."""

    def idle(dialog: Dialog, tag: str, rest: str) -> None:
        script.mails[12] = mail("two")
        dialog.send_raw(first)

    def done(dialog: Dialog, tag: str, rest: str) -> None:
        dialog.send_raw((b"" if first.endswith(b"\n") else b"ISTS\r\n") + f"{tag} OK idled\r\n".encode())

    source, script, _ = imap({"IDLE": idle, "DONE": done}, tls=tls)
    cursor = turn(source).cursor
    wait = source.wait()
    assert wait.connection is None
    assert wait.seconds < 1
    assert subjects(turn(source, cursor).raws) == ["two"]


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_silence_after_the_permission_to_idle_is_left_to_the_selector(imap: Play, tls: bool) -> None:
    source, _, _ = imap({}, tls=tls)
    turn(source)
    assert source.wait().connection is not None


def test_server_that_agrees_and_then_does_not_compress_is_unreachable(imap: Play) -> None:

    def lies(dialog: Dialog, tag: str, rest: str) -> None:
        dialog.send(f"{tag} OK from now on", "* 1 EXISTS")
        dialog.wait_for_end()

    source, _, _ = imap({"COMPRESS": lies})
    with pytest.raises(Unreachable, match="not compressed as agreed"):
        turn(source)


def test_server_that_ends_its_compression_is_unreachable(imap: Play) -> None:
    """RFC 1951 has an end, RFC 4978 has none: what follows cannot be read any more."""

    def select(dialog: Dialog, tag: str, rest: str) -> None:
        assert isinstance(dialog, Compressing)
        assert dialog.both
        Dialog.send_raw(dialog, dialog.both[0].flush(zlib.Z_FINISH) + b"* 1 EXISTS\r\n")
        dialog.wait_for_end()

    source, _, _ = imap({"SELECT": select}, after_fetch=AfterFetch.SEEN)
    with pytest.raises(Unreachable, match="the connection broke"):
        turn(source)
