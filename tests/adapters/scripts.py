"""Small IMAP, POP3 and SMTP servers to play with `Scripted`: they behave, but where a test gives answers of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from tests.servers.scripted import Dialog, Gone

Answer = Callable[[Dialog, str, str], None]
"""Answers one command; given are the connection, the command's tag (none but in IMAP) and what follows its name."""

CAPABILITIES = "IMAP4rev1 IDLE UIDPLUS MOVE"


def says(*lines: str) -> Answer:
    """These lines; `TAG` in them stands for the command's own."""

    def answer(dialog: Dialog, tag: str, rest: str) -> None:
        together(dialog, *(line.replace("TAG", tag) for line in lines))

    return answer


def together(dialog: Dialog, *lines: str) -> None:
    """Send lines in one piece: one by one, each would wait for the other side's TCP to confirm the last."""
    dialog.send_raw("".join(f"{line}\r\n" for line in lines).encode())


def cuts(dialog: Dialog, tag: str, rest: str) -> None:
    """Close the connection instead of answering."""
    raise Gone


def stays_silent(dialog: Dialog, tag: str, rest: str) -> None:
    """Answer nothing at all."""
    dialog.wait_for_end()


class ImapScript:
    """Plays an IMAP server whose one folder holds *mails* by UID.

    `answers` replace its own, by command: `SELECT`, `UID FETCH`, `greeting`, ... IDLE is answered and then left for
    the client to end.
    """

    def __init__(
        self,
        mails: Mapping[int, bytes],
        answers: Mapping[str, Answer] | None = None,
        *,
        capabilities: str = CAPABILITIES,
    ) -> None:
        self.mails = dict(mails)
        self._capabilities = capabilities
        self._answers: dict[str, Answer] = {
            "greeting": says("* OK ready"),
            "CAPABILITY": says(f"* CAPABILITY {capabilities}", "TAG OK done"),
            "LOGIN": says(f"TAG OK [CAPABILITY {capabilities}] in"),
            "SELECT": self.select,
            "EXAMINE": self.select,
            "UID SEARCH": self.search,
            "UID FETCH": self.fetch,
            "IDLE": says("+ idling"),
            "DONE": says("TAG OK idled"),
        } | dict(answers or {})

    def __call__(self, dialog: Dialog) -> None:
        """Answer commands until the client goes."""
        self._answers["greeting"](dialog, "", "")
        idling = ""
        while True:
            line = dialog.readline().decode("utf-8", "replace")
            if line == "DONE":
                self._answers["DONE"](dialog, idling, "")
                continue
            tag, command, rest = re.fullmatch(r"(\S+) ((?:UID )?\S+) ?(.*)", line, re.DOTALL).groups()  # type: ignore[union-attr]
            idling = tag
            self._answers.get(command.upper(), says("TAG OK done"))(dialog, tag, rest)

    def select(self, dialog: Dialog, tag: str, rest: str) -> None:
        """What RFC 3501 §6.3.1 asks of SELECT."""
        following = max(self.mails, default=0) + 1
        together(
            dialog,
            f"* {len(self.mails)} EXISTS",
            "* 0 RECENT",
            "* FLAGS (\\Seen \\Deleted)",
            "* OK [UIDVALIDITY 7] ok",
            f"* OK [UIDNEXT {following}] next",
            f"{tag} OK [READ-WRITE] selected",
        )

    def search(self, dialog: Dialog, tag: str, rest: str) -> None:
        """The UIDs in the asked ranges, the first of which may be one of sequence numbers; as if none was seen."""
        asked = re.fullmatch(r"(?:(\d+):(\d+) )?UID (?:\*|(\d+):(\d+|\*))(?: UNSEEN)?", rest)
        assert asked, f"a search that was not expected: {rest}"
        uids = sorted(self.mails)
        last = max(uids, default=0)
        low, high = sorted((int(asked[3] or last), last if asked[4] in ("*", None) else int(asked[4])))
        window = uids[int(asked[1]) - 1 : int(asked[2])] if asked[1] else uids
        found = " ".join(str(uid) for uid in window if low <= uid <= high)
        together(dialog, f"* SEARCH {found}".rstrip(), f"{tag} OK done")

    def fetch(self, dialog: Dialog, tag: str, rest: str) -> None:
        """Sizes or bodies of the mails that are asked for one by one, as IMAPClient asks."""
        answer = b""
        for uid in wanted(rest):
            if uid not in self.mails:
                continue
            raw, number = self.mails[uid], sorted(self.mails).index(uid) + 1
            size = f"* {number} FETCH (UID {uid} RFC822.SIZE {len(raw)})\r\n".encode("ascii")
            answer += size if "RFC822.SIZE" in rest else body(number, uid, raw)
        dialog.send_raw(answer + f"{tag} OK done\r\n".encode("ascii"))


def wanted(rest: str) -> list[int]:
    """The UIDs that a FETCH or STORE names."""
    ranges = [part.partition(":") for part in rest.split(" ", 1)[0].split(",")]
    return [uid for first, _, last in ranges for uid in range(int(first), int(last or first) + 1)]


def body(number: int, uid: int, raw: bytes) -> bytes:
    """The answer to FETCH BODY.PEEK[] for one mail."""
    head = f'* {number} FETCH (UID {uid} INTERNALDATE "21-Nov-2026 10:00:00 +0000" BODY[] {{{len(raw)}}}\r\n'
    return head.encode("ascii") + raw + b")\r\n"


class Pop3Script:
    """Plays a POP3 server that holds *mails* by UIDL; `answers` replace its own, by command or as `greeting`."""

    def __init__(self, mails: Mapping[bytes, bytes], answers: Mapping[str, Answer] | None = None) -> None:
        self.mails = dict(mails)
        self._answers: dict[str, Answer] = {
            "greeting": says("+OK ready"),
            "CAPA": says("-ERR unknown command"),
            "UIDL": self.uidl,
            "LIST": self.sizes,
            "RETR": self.retrieve,
            "TOP": self.top,
        } | dict(answers or {})

    def __call__(self, dialog: Dialog) -> None:
        """Answer commands until the client goes."""
        self._answers["greeting"](dialog, "", "")
        while True:
            command, _, rest = dialog.readline().decode("utf-8", "replace").partition(" ")
            self._answers.get(command.upper(), says("+OK"))(dialog, "", rest)

    def uidl(self, dialog: Dialog, tag: str, rest: str) -> None:
        """The list of all."""
        lines = (b"%d %s\r\n" % (number, key) for number, key in enumerate(self.mails, 1))
        dialog.send_raw(b"+OK\r\n" + b"".join(lines) + b".\r\n")

    def sizes(self, dialog: Dialog, tag: str, rest: str) -> None:
        """The sizes of all."""
        lines = (b"%d %d\r\n" % (number, len(raw)) for number, raw in enumerate(self.mails.values(), 1))
        dialog.send_raw(b"+OK\r\n" + b"".join(lines) + b".\r\n")

    def retrieve(self, dialog: Dialog, tag: str, rest: str) -> None:
        """A mail with its dots stuffed (RFC 1939 §3)."""
        raw = list(self.mails.values())[int(rest) - 1]
        dialog.send_raw(b"+OK\r\n" + re.sub(rb"(?m)^\.", b"..", raw) + b".\r\n")

    def top(self, dialog: Dialog, tag: str, rest: str) -> None:
        """A mail's header, whatever number of lines is asked for."""
        raw = list(self.mails.values())[int(rest.split()[0]) - 1]
        dialog.send_raw(b"+OK\r\n" + raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n.\r\n")


class SmtpScript:
    """Plays an SMTP server; `answers` replace its own, by command, as `greeting` or as `.`, the end of a mail."""

    def __init__(self, answers: Mapping[str, Answer] | None = None) -> None:
        self.mails: list[list[bytes]] = []
        self._answers: dict[str, Answer] = {
            "greeting": says("220 ready"),
            "EHLO": says("250 mail.example.com"),
            "DATA": says("354 go ahead"),
        } | dict(answers or {})

    def __call__(self, dialog: Dialog) -> None:
        """Answer commands until the client goes."""
        self._answers["greeting"](dialog, "", "")
        while True:
            command, _, rest = dialog.readline().decode("utf-8", "replace").partition(" ")
            self._answers.get(command.upper(), says("250 OK"))(dialog, "", rest)
            if command.upper() == "DATA":
                self.mails.append(list(iter(dialog.readline, b".")))
                self._answers.get(".", says("250 taken"))(dialog, "", "")
