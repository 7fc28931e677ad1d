"""The text of a mail in RTF, as Outlook packs it: compressed (MS-OXRTFCP), perhaps with HTML in it (MS-OXRTFEX)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from emaild.mime.charset import decoded

MOST = 4 << 20  # bytes of compressed and of plain RTF that are looked at
DICTIONARY = (  # MS-OXRTFCP §3.1.1.1
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor "
    b"MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20"
    b"\\b\\i\\u\\tab\\tx"
)
WINDOW = 4096
COMPRESSED, UNCOMPRESSED = b"LZFu", b"MELA"

TOKEN = re.compile(
    rb"\\'([0-9A-Fa-f]{2})|\\([A-Za-z]{1,32})(-?[0-9]{1,10})? ?|\\([^A-Za-z'])|([{}])|([^\\{}\r\n]+)|[\\\r\n]",
    re.DOTALL,
)
SKIPPED = frozenset((b"fonttbl", b"colortbl", b"stylesheet", b"info", b"pict", b"object", b"themedata", b"listtable"))
SAID = {
    b"par": "\n", b"line": "\n", b"tab": "\t", b"cell": "\t", b"row": "\n", b"emdash": "—", b"endash": "–",
    b"bullet": "•", b"lquote": "‘", b"rquote": "’", b"ldblquote": "“", b"rdblquote": "”", b"~": "\N{NO-BREAK SPACE}",
    b"\\": "\\", b"{": "{", b"}": "}", b"_": "-", b"\n": "\n", b"\r": "\n",
}  # fmt: skip


def decompressed(packed: bytes) -> bytes:
    """RTF from compressed RTF: as much of it as can be read, at most 4 MiB; empty where it is none."""
    if packed[8:12] == UNCOMPRESSED:
        return packed[16 : 16 + MOST]
    if packed[8:12] != COMPRESSED:
        return b""
    out = bytearray(DICTIONARY)
    at, end = 16, len(packed)
    while at < end and len(out) < MOST:
        control = packed[at]
        at += 1
        for bit in range(8):
            if not control >> bit & 1:
                out += packed[at : at + 1]
                at += 1
                continue
            reference = int.from_bytes(packed[at : at + 2], "big")
            at += 2
            back = (len(out) - (reference >> 4)) % WINDOW
            if at > end or not back or back > len(out):  # a reference to the place where it is written ends it
                return bytes(out[len(DICTIONARY) :])
            length = (reference & 15) + 2
            copied = bytes(out[-back:][:length])
            out += (copied * (length // back + 1))[:length]
    return bytes(out[len(DICTIONARY) :])


def said(rtf: bytes) -> tuple[str, str]:
    """The plain text in RTF, or the HTML that it was made from: one of the two is empty."""
    reader = _Reader(is_html=b"\\fromhtml" in rtf[:1000])
    at = 0
    while at < min(len(rtf), MOST):
        token = TOKEN.match(rtf, at)
        if token is None:
            break
        at = token.end() + reader.read(token)
    text = reader.text()
    return ("", text) if reader.is_html else (text, "")


@dataclass(frozen=True)
class _Group:
    """What holds in a group. `instead` is how many characters stand behind a Unicode one for old programs."""

    skipped: bool = False
    tag: bool = False
    rtf_only: bool = False
    instead: int = 1


@dataclass
class _Reader:
    """Reads one token after the other."""

    is_html: bool
    group: _Group = _Group()
    outer: list[_Group] = field(default_factory=list)
    codepage: str = "cp1252"
    star: bool = False
    passed_over: int = 0
    pieces: list[str] = field(default_factory=list)
    waiting: bytearray = field(default_factory=bytearray)
    """Bytes in the codepage; a character may be several."""

    def read(self, token: re.Match[bytes]) -> int:
        """Takes a token; how many bytes after it are to be skipped."""
        code, word, number, symbol, brace, text = token.groups()
        if brace == b"{":
            self.outer.append(self.group)
        elif brace:
            self.group = self.outer.pop() if self.outer else self.group
        elif symbol == b"*":
            self.star = True
            return 0
        elif word is not None:
            return self._word(word, number)
        elif code is not None or text is not None:
            self._bytes(bytes([int(code, 16)]) if code is not None else text)
        elif symbol is not None:
            self._say(SAID.get(symbol, ""))
        if brace:
            self.star, self.passed_over = False, 0
        return 0

    def text(self) -> str:
        self._decode()
        return "".join(self.pieces)

    def _word(self, word: bytes, number: bytes | None) -> int:
        value = int(number) if number else None
        if word == b"htmltag":
            self.group = replace(self.group, tag=True)
        elif word in SKIPPED or self.star:
            self.group = replace(self.group, skipped=True)
        elif word == b"htmlrtf":
            self.group = replace(self.group, rtf_only=value != 0)
        elif word == b"ansicpg" and value:
            self.codepage = f"cp{value}"
        elif word == b"uc" and value is not None:
            self.group = replace(self.group, instead=min(max(value, 0), 10))
        elif word == b"u" and value is not None:
            self._say(chr(value % 0x10000))
            self.passed_over = self.group.instead
        elif word == b"bin" and value:
            return max(value, 0)
        else:
            self._say(SAID.get(word, ""))
        self.star = False
        return 0

    @property
    def _unseen(self) -> bool:
        return self.group.skipped or (self.group.rtf_only and not self.group.tag)

    def _bytes(self, content: bytes) -> None:
        passed, self.passed_over = self.passed_over, max(self.passed_over - len(content), 0)
        if not self._unseen:
            self.waiting += content[passed:]

    def _say(self, text: str) -> None:
        if text and not self._unseen:
            self._decode()
            self.pieces.append(text)

    def _decode(self) -> None:
        if self.waiting:
            self.pieces.append(decoded(bytes(self.waiting), self.codepage))
            self.waiting.clear()
