"""What was said of a failure, taken apart: code, enhanced status, error names, words, and whose words they are."""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 2000  # characters that are looked at: real replies are shorter, hostile ones must not cost time
LONGEST_ACTION = 400  # characters, for an action may name a host
MOST_NAMES = 20
CODE = re.compile(r"[45][0-9]{2}")
CODE_IN_WORDS = re.compile(r"(?:^|[:;] ?|\banswered )([45][0-9]{2})(?=[ -]|$)")
STATUS = re.compile(r"[#(]{0,2}([45]\.[0-9]{1,3}\.[0-9]{1,3})(?!\.?[0-9])[):]{0,2} ?")
STATUS_IN_WORDS = re.compile(r"\(#([45]\.[0-9]{1,3}\.[0-9]{1,3})\)")  # qmail's manner, at the end
OURS = re.compile(r"sent to nobody, for the server refused [^ ]{1,320}: ")  # what the adapter says before the reply
OF_HTTP = re.compile(r"(?:GET|POST|PUT|PATCH|DELETE) /|[a-z ]{1,40}: it answered [0-9]{3}\b")
OF_SIGN_IN = ("530", "534", "535")  # codes that say more than the statuses of RFC 3463 for any policy
NAME = re.compile(r"\b[A-Z][a-z]{1,20}[A-Z][A-Za-z0-9]{2,60}\b")  # as ErrorSendAsDenied

PROVIDERS = {
    "microsoft": (
        (
            "outlook.com",
            "office365.com",
            "office.com",
            "mx.microsoft",
            "hotmail.com",
            "live.com",
            "graph.microsoft.com",
        ),
        r"\.outlook\.com|exchangelabs\.com|outlook\.office|aka\.ms/|office ?365|storedrv\.|\bas\(?[0-9]{3,8}\)",
    ),
    "google": (("gmail.com", "google.com", "googlemail.com"), r"\bgsmtp\b|\bgcdp\b|support\.google\.com"),
    "yahoo": (
        ("yahoo.com", "yahoodns.net", "aol.com"),
        r"\[(?:ts|tss|ph|bl|cn|sp|ip)[0-9]{1,3}\]|(?:postmaster|senders)\.yahoo|help\.yahoo|yahoo\.com",
    ),
    "amazon": (("amazonaws.com", "awsapps.com"), r"amazon ?ses|amazonaws|\bses\b.{0,20}\bsend"),
    "apple": (("icloud.com", "me.com", "mac.com", "apple.com"), r"support\.apple\.com"),
    "gmx": (
        ("gmx.net", "gmx.com", "gmx.de", "web.de", "kundenserver.de", "ionos.com", "ionos.de", "mail.com"),
        r"nemesis esmtp|postmaster\.(?:gmx|web)\.|gmx\.net/",
    ),
    "sendgrid": (("sendgrid.net", "sendgrid.com"), r"sendgrid"),
    "mailgun": (("mailgun.org", "mailgun.com"), r"mailgun"),
    "mimecast": (("mimecast.com", "mimecast.co.za"), r"mimecast"),
    "proofpoint": (("pphosted.com", "ppe-hosted.com"), r"proofpoint"),
}
"""The ends of the names of a provider's hosts, and marks in its words, which may come to us through another server."""

_MARKS = {name: re.compile(marks, re.IGNORECASE) for name, (_, marks) in PROVIDERS.items()}


@dataclass(frozen=True)
class Said:
    """A failure as the table is asked for it. `code` and `status` are empty where nobody said them.

    `words` are in one line, without code and status. `names` are the codes in words of EWS and Graph. `web`: `code` is
    one of HTTP.
    """

    code: str
    status: str
    words: str
    action: str
    names: frozenset[str]
    named: str
    providers: frozenset[str]
    web: bool

    @property
    def replied(self) -> bool:
        """Whether it is a server's reply, and not a failure of the way to it."""
        return bool(self.code or self.status)


def said(code: str, text: str, action: str, server: str) -> Said:
    """Taken apart; see `diagnose` for what is given. Never raises."""
    words = OURS.sub("", " ".join(text[:LONGEST].split()), count=1)
    names = frozenset([code[:100], *NAME.findall(words)[:MOST_NAMES]]) - {""}
    host = _host(server[:300])
    web = server.startswith(("http:", "https:")) or server.endswith(":443")
    web = web or OF_HTTP.match(f"{action[:LONGEST_ACTION]}: {words}") is not None
    if not CODE.fullmatch(code):
        found = CODE_IN_WORDS.search(words)
        code = found[1] if found else ""
        words = words[found.end() :].lstrip(" -") if found else words
    begins = STATUS.match(words)
    found = begins or STATUS_IN_WORDS.search(words)
    status = found[1] if found else ""
    return Said(
        code=code,
        status="" if code in OF_SIGN_IN and status in ("5.7.0", "5.7.1") else status,
        words=_without(words[begins.end() :] if begins else words, code, status),
        action=action[:LONGEST_ACTION],
        names=names,
        named=" ".join(sorted(names)),
        providers=frozenset(_providers(host, words)),
        web=web,
    )


def _host(server: str) -> str:
    """The host of HOST, HOST:PORT, [ADDRESS]:PORT or a URL, in small letters."""
    return re.sub(r"^[a-z]+://|[:/].*$", "", server.lower()).rstrip(".")


def _without(words: str, code: str, status: str) -> str:
    """A reply of several lines repeats its code and status, which would stand between the words of a sentence."""
    if status:
        words = re.sub(rf"(?:\b{code}[ -])?(?<![0-9.]){re.escape(status)}(?!\.?[0-9]) ?", "", words)
    return re.sub(rf"(?<!\S){code}-", "", words) if code else words


def _providers(host: str, words: str) -> list[str]:
    known = [name for name, (ends, _) in PROVIDERS.items() if any(f".{host}".endswith(f".{end}") for end in ends)]
    return known or [name for name, marks in _MARKS.items() if marks.search(words)]
