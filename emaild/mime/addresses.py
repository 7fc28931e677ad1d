"""The people of an address field (RFC 5322 §3.4), and of much that is none by the letter."""

from __future__ import annotations

import re
from collections.abc import Iterator

from emaild.mime.words import words

LONGEST_NAME = 200  # characters that may stand before a comma in it
QUOTED = r'"(?:[^"\\]|\\.){0,200}"'  # the bound keeps a header of a million quotes from taking for ever
COMMENT = r"\((?:[^()\\]|\\.|\((?:[^()\\]|\\.){0,200}\)){0,200}\)"
ENCODED = r"=\?[^?\s]{1,100}\?[bqBQ]\?[^?]{0,1000}\?="
BARE = r"[A-Za-z0-9.!#$%&'*+/=^_{|}~-]++@[A-Za-z0-9.-]++"
PIECE = re.compile(rf'{QUOTED}|{COMMENT}|{ENCODED}|<[^<>]*>|(?:[^",;:(<=]++|=(?!\?))++|.', re.DOTALL)
PLAIN = re.compile(
    rf'((?:"[^"\\]{{0,200}}"|{ENCODED}|[^",:;<>()=]++|=(?!\?))*+)<({BARE})>\s*(?:,|\Z)|\s*({BARE})\s*(?:,|\Z)'
)
"""One whose address stands as nearly all do, with a name in front or alone, and nothing that `_mailboxes` sorts out."""
WORD = re.compile(rf"(?:{QUOTED}|\S)+", re.DOTALL)
QUOTED_TEXT = re.compile(r'"((?:[^"\\]|\\.){0,200})"', re.DOTALL)
ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def people(value: str, *, strict: bool = False) -> tuple[tuple[str, str], ...]:
    """Name and address of each, in their order; a name that is not given is empty. *strict*: see `words`.

    Groups and comments are read through, missing commas are seen, and one that cannot be read harms no other. A single
    word without @ is an address only where the field has no other, as in `From: MAILER-DAEMON`.
    """
    plain = _plain(value)
    found = [(_name(name, strict), address) for name, address in (_mailboxes(value) if plain is None else plain)]
    return tuple(one for one in found if "@" in one[1]) or tuple(found)


def _plain(value: str) -> list[tuple[str, str]] | None:
    """What `_mailboxes` finds in a field in which nothing is odd, as in nearly all; None where it has to look."""
    found, at = [], 0
    while at < len(value):
        one = PLAIN.match(value, at)
        if one is None:
            return None
        found.append((one[1] or "", one[2] or one[3]))
        at = one.end()
    return found


def _mailboxes(value: str) -> Iterator[tuple[str, str]]:
    """The name, still encoded, and the address of each."""
    before, text, comment = "", "", ""  # of `Doe, Ann <a@b.c>`, which lacks its quotes, `before` is `Doe,`
    for piece in (*PIECE.findall(value), ","):
        if piece in (",", ";"):
            bare = _bare(text)
            yield from [(comment, bare[0][1])] if comment and len(bare) == 1 and not bare[0][0].strip() else bare
            nameless = piece == "," and text.strip() and not any("@" in address for _, address in bare)
            before, text, comment = f"{before}{text},"[-LONGEST_NAME:] if nameless else "", "", ""
        elif piece == ":" and "@" not in text:
            before, text = "", ""  # it was the name of a group
        elif piece[0] == "<" and piece[-1] == ">":
            for _, address in _bare(_inside(piece))[-1:]:
                yield before + text, address
            before, text = "", ""
        elif piece[0] == "(" and len(piece) > 1:
            comment = piece[1:-1]
        else:
            text += piece


def _inside(angle: str) -> str:
    """An address between angle brackets, without the route or `mailto:` before it and blanks around its @."""
    found = angle[1:-1].removeprefix("mailto:")
    found = found.rpartition(":")[2] if found.startswith("@") else found  # RFC 5322 §4.4
    parts = found.split()
    return "".join(parts) if any(part[0] == "@" or part[-1] == "@" for part in parts) else found


def _bare(text: str) -> list[tuple[str, str]]:
    """The addresses in a text that has no angle brackets, the first with what stands before it."""
    for candidate in (text, words(text)):
        found = [(word.start(), word[0].strip("<>")) for word in WORD.finditer(candidate) if "@" in word[0]]
        if found:
            names = [candidate[: found[0][0]], *[""] * (len(found) - 1)]
            return [(name, address) for name, (_, address) in zip(names, found, strict=True)]
    single = candidate.split()
    return [("", single[0])] if len(single) == 1 else []


def _name(text: str, strict: bool) -> str:
    unquoted = QUOTED_TEXT.sub(lambda found: ESCAPED.sub(r"\1", found[1]), text) if '"' in text else text
    return " ".join(words(unquoted, strict=strict).split()).strip('" ,')
