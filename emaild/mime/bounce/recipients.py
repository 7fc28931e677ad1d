"""The failing addresses in the text of a report.

An address counts by the shape of the place where it stands, for the programs differ in words and agree in shapes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from emaild.mime.alternatives import alternatives, any_of
from emaild.mime.bounce.failures import FAILED

MOST_LINES = 1_000
LONGEST_LINE = 500
LONGEST_DIAGNOSTIC = 300
MOST_RECIPIENTS = 100
WORD = r"\w!#$%&'*+/=?^`{|}~.\-"
ADDRESS = re.compile(rf"(?<![{WORD}@])([{WORD}]{{1,64}})@((?:[\w-]{{1,63}}\.){{1,8}}[^\W\d_][\w-]{{1,23}})(?![\w@-])")
STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d]|\.\d)")
CODE = any_of(
    r"""
    (?<![\w.@-])[45][0-5]\d[ :-]{1,2}#?\(?[45]\.\d{1,3}\.\d{1,3}
    ^[\W\d]{0,9}\b[45][0-5]\d[ -]
    [:>\])] ?[45][0-5]\d[ :-]
    <<< ?[45]\d\d
    \b(?:said|respon\w+|repl\w+|error|code|smtp|reason|status|rcpt|data|server)\b[^\n@]{0,40}?(?<!\d)[45][0-5]\d(?!\d)
    #[45]\d\d\b
    (?<![\d.])[45]\.[0-7]\.\d{1,2}(?!\d|\.\d)
    """
)
"""A reply of a server (RFC 5321 §4.2) or an enhanced status code (RFC 3463), told apart from other numbers."""

BEGINS = r"^[\s>*|<(\[\"'-]{0,20}(?:(?:smtp|rfc822|mailto)[:;]\s?)?<?"
ALONE = any_of(
    rf"""
    {BEGINS}[^\s<>@]{{1,64}}@[^\s<>@:;,]{{1,200}}?>?["')\]]*\s*(?:[:;,.\[<(=-]|on \d|$)
    """
)
"""An address that begins a line, with nothing or a reason behind it."""

LABEL = any_of(
    rf"""
    ^\W*{
        alternatives(
            '''
            (?:x-)?(?:final|original|failed|actual|intended)[- ]recipients?
            recipients?(?: address(?:es)?)?
            addressee
            (?:failed |bad |e-?mail )?address(?:es)?
            (?:unknown |failed )?users?
            (?:mail|message)? ?(?:addressed|destined|sent) to
            destination(?: address)?
            to
            rcpt to
            expanded from
            user's address
            e-?mail
            mailbox
            fail(?:ure|ed) to
            errors? for
            empfänger(?:adresse)?
            destinataires?
            destinatari[oa]s?
            odbiorca
            宛先
            收件人(?:邮件地址)?
            受信者
            '''
        )
    }\W{{0,6}}(?:\w{{1,8}};\s?)?[\s\"'<]*[^\s<>]{{1,64}}@
    """
)
"""An address behind a word for a recipient."""

QUOTED_TO = any_of(r"^\W*(?:to|an|à|para|a|aan|do|кому|宛先|收件人)\s?[:：]")
QUOTED_FIELD = any_of(
    r"""
    ^\W*(?:subject|message-?id|from|sent|date)\s?:
    ^\W*(?:betreff|gesendet|objet|envoyé|asunto|enviado|oggetto|inviato|assunto|onderwerp|verzonden|temat|тема)\s?:
    ^\W*(?:件名|主题|主旨)\s?[:：]
    """
)
NO_RECIPIENT = any_of(
    r"""
    ^\W*(?:from|von|de|sender|subject|date|id|cc|message id|absender|expéditeur|remitente|return-path)\s*:
    \b(?:contact|postmaster|administrator|webmaster|assistance|help|question|support|abuse|complain|kontakt|hilfe|wenden)\b
    \b(?:e-?mail us|forward (?:this|the|a copy)|include|for more|if you|report (?:this|to)|unsubscribe|visit)\b
    \bplease (?:send|write|call|e-?mail|reply|forward|notify|report)\b
    \b(?:mail from|sender|sent by|from:|from <|reply-to|resent-from|x-\w+-sender|return-path)
    \b(?:message-?id|reporting-mta|original-envelope-id|received|esmtp|helo)\b
    https?://|www\.
    """
)
"""A line whose addresses are of others: who sent, who reports, who helps."""

SERVICE = any_of(
    r"""
    ^(?:mail(?:er)?-?daemon|postmast(?:er)?|mmdf|abuse|help-?desk|support|(?:host|web)master|no-?reply|listserv|majordomo)
    ^(?:admin|administrator|root|sysadmin|noc|security|mailadmin)
    """
)
"""An address that reports name for help rather than as failing."""


@dataclass(frozen=True)
class Failing:
    """An address, how surely it is a failing one, and why.

    Sure by its place 3, by its line 2, by the lines around it 1, not at all 0.
    """

    address: str
    sureness: int
    diagnostic: str


def failing(text: str, own: Collection[str]) -> list[Failing]:
    """The addresses that a report names, without *own* ones (in lower case), in their order, each once."""
    lines = [" ".join(line[:LONGEST_LINE].split()) for line in text.split("\n")[:MOST_LINES]]
    bad = [bool(CODE.search(line) or FAILED.search(line)) for line in lines]
    best: dict[str, Failing] = {}
    for number, line in enumerate(lines):
        for address in _addresses(line, own):
            if _is_anothers(line, address, lines, number):
                continue
            sureness, key = _sureness(line, bad, number), address.lower()
            if key not in best or sureness > best[key].sureness:
                best[key] = Failing(address, sureness, _diagnostic(lines, bad, number, address))
        if len(best) >= MOST_RECIPIENTS:
            break
    return list(best.values())


def _addresses(line: str, own: Collection[str]) -> Iterator[str]:
    for found in ADDRESS.finditer(line):
        local = found[1].lstrip("'=.*").rpartition("smtp:")[2].rpartition("=")[2] or found[1]
        address = f"{local}@{found[2]}"
        if address.lower() not in own:
            yield address


def _is_anothers(line: str, address: str, lines: list[str], number: int) -> bool:
    """Whether the address is of who sent, who reports or who helps, or of the header of the mail that was sent."""
    if QUOTED_TO.match(line) and any(QUOTED_FIELD.match(one) for one in lines[max(0, number - 3) : number + 4]):
        return True
    if LABEL.search(line):
        return False
    if NO_RECIPIENT.search(ADDRESS.sub("@", line)) and not CODE.search(line):
        return True
    return SERVICE.match(address) is not None and not line.strip("<: ").startswith(address)


def _sureness(line: str, bad: list[bool], number: int) -> int:
    if ALONE.search(line) or LABEL.search(line):
        return 3 if any(bad[max(0, number - 12) : number + 8]) else 1
    if bad[number]:
        return 2
    return 1 if any(bad[max(0, number - 4) : number + 4]) else 0


def _diagnostic(lines: list[str], bad: list[bool], number: int, address: str) -> str:
    """The line that says why: below the address rather than above, with a code rather than words only."""
    for near in (_until_another(lines, range(number, number + 8), address), range(number - 1, number - 4, -1)):
        within = [at for at in near if 0 <= at < len(lines)]
        why = next((at for at in within if CODE.search(lines[at])), None)
        if why is None:
            why = next((at for at in within if bad[at]), None)
        if why is not None:
            return lines[why].strip()[:LONGEST_DIAGNOSTIC]
    return ""


def _until_another(lines: list[str], numbers: Iterable[int], address: str) -> Iterator[int]:
    """The lines that speak of this address, as the next one has its own."""
    for number in numbers:
        found = ADDRESS.search(lines[number]) if number < len(lines) else None
        if found is not None and address not in lines[number]:
            return
        yield number
