"""The subjects of answers and of mails that are passed on."""

from __future__ import annotations

import re

from emaild.render.fields import UNPRINTABLE

LONGEST = 500  # characters; programs that write mails stop at 255
LONGEST_PREFIX = 100
REPLY = (
    "Re",
    "Aw",
    "Antw",
    "Antwort",
    "Sv",
    "Ref",
    "Rif",
    "Odp",
    "Res",
    "Resp",
    "Rép",
    "Ynt",
    "Vá",
    "Ответ",
    "回复",
    "答复",
    "回覆",
)
FORWARD = ("Fw", "Fwd", "Wg", "Tr", "Rv", "Enc", "Vb", "Vl", "Doorst", "Pd", "İlt", "Továbbítás", "转发", "轉寄")
"""What programs put before a subject, in the languages of many."""
COUNT = r"(?:\s?[\[(]\d{1,4}[\])]|[*^]\d{1,4})?"  # of answers, as in Re[2]: and Re^2:


def prefixed(subject: str, prefix: str) -> str:
    """The subject with *prefix* (such as `Re:`) before it, once, on one line that every mail can carry.

    The same prefix goes where it is there already. Where the prefix is one that programs use for answers, so do all of
    those, and in the same way with those for mails that are passed on.
    """
    prefix = _one_line(prefix)[:LONGEST_PREFIX].rstrip()
    rest = _one_line(subject)
    if prefix:
        rest = _known(prefix).sub("", rest, count=1)
    return f"{prefix} {rest}".strip()[:LONGEST].rstrip()


def _known(prefix: str) -> re.Pattern[str]:
    """Any number of prefixes that say the same."""
    word = prefix.rstrip(":： ").casefold()
    kinds = [words for words in (REPLY, FORWARD) if word in {known.casefold() for known in words}]
    words = "|".join(map(re.escape, kinds[0] if kinds else ()))
    forms = [rf"(?:{words}){COUNT}\s?[:：]"] if words else []
    own = re.escape(prefix) + (r"(?!\w)(?:\s?[:：])?" if re.fullmatch(r"\w", prefix[-1]) else "")
    return re.compile(rf"\A(?:\s?(?:{'|'.join([own, *forms])}))*+\s?", re.IGNORECASE)


def _one_line(text: str) -> str:
    return " ".join(UNPRINTABLE.sub(" ", text).split())
