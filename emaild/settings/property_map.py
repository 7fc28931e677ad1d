"""All of JavaMail's properties by full name: those that `properties` declares, and what becomes of the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from emaild.settings.option import Option, options
from emaild.settings.properties import (
    ImapProperties,
    MimeProperties,
    Pop3Properties,
    SessionProperties,
    SmtpProperties,
)


class Treatment(StrEnum):
    """What becomes of a property."""

    HONOURED = "honoured"
    INTERNAL = "internal"
    CONTROLLED = "controlled"
    WITHOUT_EFFECT = "without effect"
    ALWAYS = "always so"
    REFUSED = "refused"


@dataclass(frozen=True)
class Other:
    """A property that is not honoured: what becomes of it, and why."""

    treatment: Treatment
    why: str


def _all(treatment: Treatment, why: str, names: str) -> dict[str, Other]:
    return {name: Other(treatment, why) for name in names.split()}


_JAVA = "it names a Java class or object"
_CACHE = "it is about a cache or an event of the Java library"
_LENIENT = "emaild always reads as leniently as this"
_NTLM = "emaild's NTLM finds this out by itself"

_SHARED = {
    **_all(Treatment.WITHOUT_EFFECT, _JAVA, "socketFactory ssl.hostnameverifier.class"),
    **_all(Treatment.WITHOUT_EFFECT, _JAVA, "ssl.socketFactory ssl.socketFactory.class"),
    **_all(Treatment.CONTROLLED, "server", "host"),
    **_all(Treatment.CONTROLLED, "port", "port"),
    **_all(Treatment.CONTROLLED, "connect-timeout", "connectiontimeout"),
    **_all(Treatment.CONTROLLED, "protocol-timeout", "timeout"),
    **_all(Treatment.CONTROLLED, "[proxy] host", "socks.host"),
    **_all(Treatment.CONTROLLED, "[proxy] port", "socks.port"),
}
_MAILBOX = {
    **_SHARED,
    **_all(Treatment.INTERNAL, "", "class"),
    **_all(Treatment.CONTROLLED, "mailbox", "user"),
    **_all(Treatment.CONTROLLED, "pop-connection-security", "socketFactory.class socketFactory.fallback"),
    **_all(Treatment.CONTROLLED, "port", "socketFactory.port"),
    **_all(Treatment.WITHOUT_EFFECT, _JAVA, "finalizecleanclose"),
}
_NTLM_DETAILS = "auth.ntlm.unicode auth.ntlm.lmcompat"

OTHERS: Mapping[str, Mapping[str, Other]] = {
    "pop3": {
        **_MAILBOX,
        **_all(Treatment.WITHOUT_EFFECT, _JAVA, "message.class"),
        **_all(Treatment.WITHOUT_EFFECT, _CACHE, "filecache.enable filecache.dir cachewriteto keepmessagecontent"),
        **_all(Treatment.ALWAYS, "DIGEST-MD5 is historic (RFC 6331) and never used", "auth.digest-md5.disable"),
        **_all(Treatment.REFUSED, _NTLM, f"auth.ntlm.flags {_NTLM_DETAILS}"),
    },
    "imap": {
        **_MAILBOX,
        **_all(Treatment.WITHOUT_EFFECT, _JAVA, "folder.class usesocketchannels"),
        **_all(Treatment.WITHOUT_EFFECT, _CACHE, "ignorebodystructuresize statuscachetimeout appendbuffersize"),
        **_all(Treatment.WITHOUT_EFFECT, _CACHE, "separatestoreconnection enableresponseevents enableimapevents"),
        **_all(Treatment.WITHOUT_EFFECT, _CACHE, "throwsearchexception closefoldersonstorefailure"),
        **_all(Treatment.WITHOUT_EFFECT, _CACHE, "compress.strategy reusetagprefix sasl.xgwtrustedapphack.enable"),
        **_all(Treatment.REFUSED, _NTLM, "auth.ntlm.flags"),
    },
    "smtp": {
        **_SHARED,
        **_all(Treatment.CONTROLLED, "user", "user"),
        **_all(Treatment.CONTROLLED, "enable-authentication", "auth"),
        **_all(Treatment.WITHOUT_EFFECT, _JAVA, "socketFactory.class socketFactory.fallback socketFactory.port"),
        **_all(Treatment.ALWAYS, "DIGEST-MD5 is historic (RFC 6331) and never used", "auth.digest-md5.disable"),
        **_all(Treatment.REFUSED, _NTLM, f"auth.ntlm.flags {_NTLM_DETAILS}"),
    },
    "graph": _all(Treatment.ALWAYS, "Graph always signs in with a token", "auth.mechanisms"),
    "mime": {
        **_all(Treatment.WITHOUT_EFFECT, "nothing here depends on it", "encodeeol.strict decodeparameters.strict"),
        **_all(Treatment.WITHOUT_EFFECT, "nothing here depends on it", "setdefaulttextcharset parameters.strict"),
        **_all(Treatment.WITHOUT_EFFECT, "nothing here depends on it", "cachemultipart"),
        **_all(Treatment.WITHOUT_EFFECT, _JAVA, "contenttypehandler"),
        **_all(Treatment.ALWAYS, _LENIENT, "multipart.ignoremissingendboundary multipart.allowempty"),
        **_all(Treatment.ALWAYS, _LENIENT, "multipart.ignoremissingboundaryparameter base64.ignoreerrors"),
        **_all(Treatment.ALWAYS, _LENIENT, "applefilenames windowsfilenames ignoreunknownencoding"),
        **_all(Treatment.ALWAYS, _LENIENT, "uudecode.ignoreerrors uudecode.ignoremissingbeginend"),
        **_all(Treatment.ALWAYS, _LENIENT, "ignoremultipartencoding address.ignorebogusgroupname"),
    },
    "": {
        **_all(Treatment.CONTROLLED, "enable-debug", "debug"),
        **_all(Treatment.CONTROLLED, "server", "host"),
        **_all(Treatment.CONTROLLED, "mailbox (in a way out: user)", "user"),
        **_all(Treatment.REFUSED, "it would write passwords into the log", "debug.auth"),
        **_all(Treatment.WITHOUT_EFFECT, "see enable-debug", "debug.quote socket.debug"),
        **_all(Treatment.INTERNAL, "type", "store.protocol"),
        **_all(Treatment.INTERNAL, "server-type", "transport.protocol"),
    },
}
"""By protocol, `mime`, or "" for `mail.*` itself; `why` of a controlled one is the option that controls it."""

CLASSES: Mapping[str, type[Any]] = {
    "pop3": Pop3Properties,
    "imap": ImapProperties,
    "smtp": SmtpProperties,
    "mime": MimeProperties,
    "": SessionProperties,
}
FIELDS = {"pop3": "pop3", "imap": "imap", "smtp": "smtp", "mime": "mime", "": "session"}
"""The field of a section that holds each group of properties."""
PROTOCOLS = ("pop3", "imap", "smtp")


@dataclass(frozen=True, kw_only=True)
class Property:
    """One property by its full name: honoured as `option` declares it, or `other`."""

    name: str
    group: str
    option: Option | None
    other: Other | None

    @property
    def treatment(self) -> Treatment:
        """What becomes of it."""
        return self.other.treatment if self.other else Treatment.HONOURED


def full_name(group: str, name: str) -> str:
    """`mail.imap.fetchsize` from `imap` and `fetchsize`."""
    return f"mail.{group}.{name}" if group else f"mail.{name}"


def _known() -> Iterator[Property]:
    for group, declared in CLASSES.items():
        for one in options(declared):
            yield Property(name=full_name(group, one.name), group=group, option=one, other=None)
    for group, others in OTHERS.items():
        for name, other in others.items():
            yield Property(name=full_name(group, name), group=group, option=None, other=other)


PROPERTIES: Mapping[str, Property] = {found.name.lower(): found for found in _known()}
"""All properties by their full name in lower case."""
