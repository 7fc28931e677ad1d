"""JavaMail's properties: `mail.<protocol>.<name>` in a mailbox or way-out section.

Those that are honoured are declared like options here, a class a protocol; what becomes of the others stands in
`property_map`. Times are milliseconds, as JavaMail has them. Names and meanings: the package documentation of
com.sun.mail.pop3, .imap and .smtp, and the properties of javax.mail and javax.mail.internet (JavaMail 1.6.2).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from emaild.settings import parse
from emaild.settings.extras import missing_extra
from emaild.settings.option import option
from emaild.settings.secret import Secret

MOST_MILLISECONDS = 3_600_000

milliseconds = parse.number(1, MOST_MILLISECONDS, "milliseconds")
flag_or_nothing = parse.optional(parse.flag)


class Notify(StrEnum):
    """When a delivery status notification is asked for (RFC 3461 §4.1)."""

    NEVER = "NEVER"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    DELAY = "DELAY"


class Return(StrEnum):
    """How much of a mail its delivery status notification gives back (RFC 3461 §4.3)."""

    FULL = "FULL"
    HEADERS = "HDRS"


@dataclass(frozen=True, kw_only=True)
class ProtocolProperties:
    """What POP3, IMAP and SMTP have in common."""

    writetimeout: int | None = option(
        parse.optional(milliseconds),
        default="",
        help="Milliseconds that the server may take to accept what is written. Empty: as protocol-timeout says.",
    )
    localaddress: str = option(
        parse.optional_text(parse.host), default="", help="The address of this machine to connect from."
    )
    localport: int | None = option(
        parse.optional(parse.number(0, 65535)), default="", help="The port of this machine to connect from."
    )
    auth_mechanisms: tuple[str, ...] = option(
        parse.mechanisms,
        default="",
        name="auth.mechanisms",
        help="The mechanisms to sign in with, the first that the server offers; it overrides the .disable ones."
        " Empty: the best that both sides know.",
    )
    auth_login_disable: bool = option(
        parse.flag, default="false", name="auth.login.disable", help="Never LOGIN (for POP3: USER and PASS)."
    )
    auth_plain_disable: bool = option(parse.flag, default="false", name="auth.plain.disable", help="Never PLAIN.")
    auth_ntlm_disable: bool = option(parse.flag, default="false", name="auth.ntlm.disable", help="Never NTLM.")
    auth_ntlm_domain: str = option(parse.text, default="", name="auth.ntlm.domain", help="The NTLM domain of the user.")
    auth_xoauth2_disable: bool = option(parse.flag, default="false", name="auth.xoauth2.disable", help="Never XOAUTH2.")
    ssl_enable: bool = option(
        parse.flag, default="false", name="ssl.enable", help="TLS from the first byte, as security ssl-tls."
    )
    ssl_checkserveridentity: bool = option(
        parse.flag,
        default="true",
        ours=True,
        name="ssl.checkserveridentity",
        help="Whether the server's name must stand in its certificate. false warns at every start.",
    )
    ssl_trust: tuple[str, ...] = option(
        parse.words,
        default="",
        name="ssl.trust",
        help="Hosts whose certificate is trusted whoever signed it; * all. It warns at every start.",
    )
    ssl_protocols: tuple[str, ...] = option(
        parse.tls_protocols, default="", name="ssl.protocols", help="The only versions of TLS to use."
    )
    ssl_ciphersuites: tuple[str, ...] = option(
        parse.words,
        default="",
        name="ssl.ciphersuites",
        help="The only cipher suites to use, by their names at IANA or in OpenSSL.",
    )
    ssl_socket_factory_port: int | None = option(
        parse.optional(parse.number(1, 65535)),
        default="",
        name="ssl.socketFactory.port",
        help="The port to connect to where TLS starts with the first byte and no port is given.",
    )
    starttls_enable: bool = option(
        parse.flag,
        default="false",
        name="starttls.enable",
        help="STARTTLS (STLS) where the server offers it; no encryption where it does not.",
    )
    starttls_required: bool = option(
        parse.flag, default="false", name="starttls.required", help="STARTTLS (STLS), or no sign-in at all."
    )
    proxy_host: str = option(
        parse.optional_text(parse.host),
        default="",
        name="proxy.host",
        help="An HTTP proxy to CONNECT through; it comes before [proxy].",
    )
    proxy_port: int = option(parse.number(1, 65534), default="80", name="proxy.port", help="Its port.")
    proxy_user: str = option(parse.text, default="", name="proxy.user", help="The user to sign in to it with.")
    proxy_password: Secret | None = option(
        parse.optional(parse.secret), default="", name="proxy.password", help="The password of that user."
    )

    def check(self) -> Iterator[tuple[str, str]]:
        """What does not fit together, as (property, what is wrong and what would be right)."""
        if self.proxy_user and self.proxy_password is None:
            yield "proxy.user", "it needs its partner, proxy.password"
        if self.proxy_password is not None and not self.proxy_user:
            yield "proxy.password", "it needs its partner, proxy.user"
        if (self.proxy_user or self.proxy_password) and not self.proxy_host:
            yield "proxy.user" if self.proxy_user else "proxy.password", "it needs its partner, proxy.host"


@dataclass(frozen=True, kw_only=True)
class SaslProperties(ProtocolProperties):
    """What IMAP and SMTP have of SASL (RFC 4422)."""

    sasl_enable: bool = option(
        parse.flag, default="false", name="sasl.enable", help="Whether the other sasl properties count."
    )
    sasl_mechanisms: tuple[str, ...] = option(
        parse.mechanisms,
        default="",
        name="sasl.mechanisms",
        help="The mechanisms to sign in with; it comes before auth.mechanisms.",
    )
    sasl_authorizationid: str = option(
        parse.text,
        default="",
        name="sasl.authorizationid",
        help="Whom to act as: the authorization identity. Empty: the one who signs in.",
    )
    sasl_realm: str = option(
        parse.text, default="", name="sasl.realm", help="The realm: NTLM's domain where auth.ntlm.domain names none."
    )
    sasl_usecanonicalhostname: bool = option(
        parse.flag,
        default="false",
        name="sasl.usecanonicalhostname",
        help="Whether mechanisms are told the server's canonical name instead of the one in the conf file.",
    )

    def check(self) -> Iterator[tuple[str, str]]:
        """What does not fit together, as (property, what is wrong and what would be right)."""
        yield from super().check()
        if wrong := missing_extra(self.sasl_mechanisms):
            yield "sasl.mechanisms", wrong


@dataclass(frozen=True, kw_only=True)
class Pop3Properties(ProtocolProperties):
    """`mail.pop3.*`"""

    rsetbeforequit: bool = option(
        parse.flag,
        default="false",
        help="RSET before QUIT, for servers that mark what was read as deleted. After deletions of ours none is sent.",
    )
    apop_enable: bool = option(
        parse.flag, default="false", name="apop.enable", help="Sign in with APOP (RFC 1939 §7) where it is offered."
    )
    auth_xoauth2_two_line: bool = option(
        parse.flag,
        default="false",
        name="auth.xoauth2.two.line.authentication.format",
        help="XOAUTH2 on two lines: the token after the server's +, as Outlook wants it.",
    )
    disabletop: bool = option(parse.flag, default="false", help="Never TOP: headers are read with RETR.")
    disablecapa: bool = option(parse.flag, default="false", help="Never CAPA.")
    forgettopheaders: bool = option(
        parse.flag,
        default="false",
        help="Headers that TOP gave do not count: what they decide is decided again by those that RETR gives.",
    )
    pipelining: bool = option(
        parse.flag,
        default="false",
        help="Send commands without waiting for each answer, also where CAPA does not offer PIPELINING (RFC 2449"
        " §6.6). Where it does, that is done in any case. A password goes that way on TLS only.",
    )


@dataclass(frozen=True, kw_only=True)
class ImapProperties(SaslProperties):
    """`mail.imap.*`"""

    partialfetch_given: bool | None = option(
        flag_or_nothing,
        default="",
        name="partialfetch",
        in_effect="partialfetch",
        help="Fetch mails in parts of fetchsize. Empty: only where fetchsize is given.",
    )
    fetchsize_given: int | None = option(
        parse.optional(parse.number(1, 1 << 30)),
        default="",
        name="fetchsize",
        in_effect="fetchsize",
        help="The size of those parts in bytes. Empty: 16384.",
    )
    peek: bool = option(
        parse.flag,
        default="true",
        ours=True,
        help="Read mails without marking them as seen; false: reading marks them, whatever after-fetch says.",
    )
    connectionpoolsize: int = option(
        parse.number(0, 100),
        default="1",
        help="0: the connection is not kept between two turns. Above 0 a mailbox keeps one.",
    )
    connectionpooltimeout: int | None = option(
        parse.optional(milliseconds),
        default="",
        help="Milliseconds that a connection which is not in IDLE may be kept unused: where cycle-time is longer, it"
        " is closed after each turn. Empty: no limit.",
    )
    allowreadonlyselect: bool = option(
        parse.flag,
        default="false",
        help="Read a folder that the server lets be read only, though after-fetch cannot be done there.",
    )
    proxyauth_user: str = option(
        parse.text, default="", name="proxyauth.user", help="Whom to act as with PROXYAUTH, after signing in."
    )
    minidletime: int = option(
        parse.number(0, MOST_MILLISECONDS, "milliseconds"),
        default="10",
        help="Milliseconds at least between two IDLE commands.",
    )
    referralexception: bool = option(
        parse.flag,
        default="false",
        help="Whether a sign-in that succeeds with a REFERRAL to another server (RFC 2221) counts as failed.",
    )
    compress_enable: bool = option(
        parse.flag,
        default="false",
        name="compress.enable",
        help="COMPRESS=DEFLATE (RFC 4978) where the server offers it.",
    )
    compress_level: int = option(
        parse.number(-1, 9), default="-1", name="compress.level", help="How hard to compress; -1 as zlib likes."
    )

    @property
    def partialfetch(self) -> bool:
        """Whether mails are fetched in parts."""
        return self.fetchsize_given is not None if self.partialfetch_given is None else self.partialfetch_given

    @property
    def fetchsize(self) -> int:
        """The size of a part in bytes."""
        return self.fetchsize_given or 16384


@dataclass(frozen=True, kw_only=True)
class SmtpProperties(SaslProperties):
    """`mail.smtp.*`"""

    from_: str = option(
        parse.text, default="", name="from", help="The envelope's sender (MAIL FROM), instead of the mail's own."
    )
    localhost: str = option(
        parse.optional_text(parse.host), default="", help="Our name for EHLO. Empty: this machine's own."
    )
    ehlo: bool = option(parse.flag, default="true", help="false: HELO at once, and so no extension.")
    submitter: str = option(
        parse.text, default="", help="What MAIL FROM says in AUTH= (RFC 4954 §5), where the server knows AUTH."
    )
    dsn_notify: tuple[Notify, ...] = option(
        parse.several_of(Notify),
        default="",
        name="dsn.notify",
        help="When the server shall report on a mail (RFC 3461): NEVER, or some of SUCCESS,FAILURE,DELAY.",
    )
    dsn_ret: Return | None = option(
        parse.optional(parse.one_of(Return)),
        default="",
        name="dsn.ret",
        help="How much of the mail such a report gives back.",
    )
    allow8bitmime: bool = option(
        parse.flag,
        default="true",
        ours=True,
        help="Send text of 8 bits as it is where the server knows 8BITMIME (RFC 6152); false: always encoded.",
    )
    sendpartial: bool = option(
        parse.flag,
        default="true",
        ours=True,
        help="Send a mail to those recipients that the server accepts, though it refuses others; false: to none.",
    )
    quitwait: bool = option(parse.flag, default="true", help="Wait for the answer to QUIT before closing.")
    quitonsessionreject: bool = option(
        parse.flag, default="false", help="Say QUIT to a server whose greeting refuses us, instead of just closing."
    )
    reportsuccess: bool = option(
        parse.flag, default="false", help="Log each accepted recipient with the server's words."
    )
    mailextension: str = option(parse.text, default="", help="What to put after MAIL FROM:<...>, as it stands.")
    userset: bool = option(
        parse.flag, default="false", help="Ask a kept connection whether it lives with RSET instead of NOOP."
    )
    noop_strict: bool = option(
        parse.flag, default="true", name="noop.strict", help="Take 250 alone as a sign of life; false: any answer."
    )

    def check(self) -> Iterator[tuple[str, str]]:
        """What does not fit together, as (property, what is wrong and what would be right)."""
        yield from super().check()
        if Notify.NEVER in self.dsn_notify and len(self.dsn_notify) > 1:
            yield "dsn.notify", "NEVER must stand alone (RFC 3461 §4.1)"


@dataclass(frozen=True, kw_only=True)
class SessionProperties:
    """`mail.*` that belong to no protocol."""

    from_: str = option(
        parse.text, default="", name="from", help="The envelope's sender where mail.smtp.from names none."
    )
    alternates: tuple[str, ...] = option(
        parse.words,
        default="",
        help="Our further addresses, which a reply to all leaves out.",
    )
    replyallcc: bool = option(parse.flag, default="false", help="A reply to all puts the others in Cc.")
    ews_auth_mechanisms: tuple[str, ...] = option(
        parse.mechanisms,
        default="",
        name="ews.auth.mechanisms",
        help="XOAUTH2: EWS with a token.",
    )


@dataclass(frozen=True, kw_only=True)
class MimeProperties:
    """`mail.mime.*`: how a mail is read (in a mailbox section) and written (in a way-out section)."""

    charset: str = option(
        parse.charset,
        default="",
        help="Reading: the charset of text that declares none and is not UTF-8. Writing: the charset of text"
        " beyond ASCII. Empty: found out; UTF-8.",
    )
    decodetext_strict: bool = option(
        parse.flag,
        default="false",
        ours=True,
        name="decodetext.strict",
        help="Reading: encoded words (RFC 2047) count only where white space stands around them.",
    )
    decodefilename: bool = option(
        parse.flag, default="true", ours=True, help="Reading: encoded words in file names are decoded."
    )
    decodeparameters: bool = option(
        parse.flag, default="true", help="Reading: parameters are decoded as RFC 2231 says."
    )
    multipart_ignoreexistingboundaryparameter: bool = option(
        parse.flag,
        default="false",
        name="multipart.ignoreexistingboundaryparameter",
        help="Reading: the boundary is looked for in the body, whatever Content-Type says it is.",
    )
    ignorewhitespacelines: bool = option(
        parse.flag, default="false", help="Reading: a line of white space ends a header, as an empty line does."
    )
    allowencodedmessages: bool = option(
        parse.flag,
        default="true",
        ours=True,
        help="Reading: a message/* part in base64 or quoted-printable (against RFC 2046 §5.2) is decoded.",
    )
    address_strict: bool = option(
        parse.flag,
        default="true",
        name="address.strict",
        help="Writing: an address must have the form of RFC 5322; false accepts broken ones as they are.",
    )
    encodefilename: bool = option(
        parse.flag,
        default="false",
        help="Writing: file names beyond ASCII as encoded words (RFC 2047), for readers that know no RFC 2231.",
    )
    encodeparameters: bool = option(
        parse.flag, default="true", help="Writing: parameters beyond ASCII as RFC 2231 says."
    )
    foldtext: bool = option(parse.flag, default="true", help="Writing: long headers are folded at white space.")
    foldencodedwords: bool = option(
        parse.flag,
        default="true",
        ours=True,
        help="Writing: a line holds one encoded word, and lines are kept below 76 characters (RFC 2047 §2).",
    )
    setcontenttypefilename: bool = option(
        parse.flag, default="true", help="Writing: a file's name stands in Content-Type too, as name=."
    )
