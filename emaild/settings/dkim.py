"""The options of a way out that sign what leaves by it (DKIM, RFC 6376)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from emaild.settings import parse
from emaild.settings.option import option
from emaild.settings.secret import Secret

LEAST_BITS = 1024  # RFC 8301 §3.2
USUAL_HEADERS = (
    *("From", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To", "References"),
    *("MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
)
"""What shapes a mail before its reader's eyes (RFC 6376 §5.4.1), but for what servers on the way add by themselves."""
LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
FIELD = re.compile(r"[!-9;-~]{1,70}")  # RFC 5322 §3.6.8; so long that a line of h= is never too long


@dataclass(frozen=True, kw_only=True)
class SigningOptions:
    """See the help of each."""

    dkim_domain: str = option(
        parse.text,
        default="",
        ours=True,
        help="SMTP: the domain that signs every mail of this way (DKIM, d=): that of its From, or one above it."
        " Empty: mails are not signed.",
    )
    dkim_selector: str = option(
        parse.text,
        default="",
        ours=True,
        help="Where the public key is in the DNS: SELECTOR._domainkey.DOMAIN (DKIM, s=).",
    )
    dkim_key: Secret | None = option(
        parse.optional(parse.secret),
        default="",
        ours=True,
        help="The private key (PEM) that signs, as file:PATH or credential:NAME: RSA of 1024 bits or more, or Ed25519."
        " A change of the file counts at once.",
    )
    dkim_headers: tuple[str, ...] = option(
        parse.words,
        default="",
        ours=True,
        help="The fields of the header that are signed, so that nobody can change them, nor add another of that name."
        f" Empty: {', '.join(USUAL_HEADERS)}.",
    )

    def check_signing(self) -> Iterator[tuple[str, str]]:
        """What does not fit together, as (option, what is wrong and what would be right)."""
        given = {"domain": self.dkim_domain, "selector": self.dkim_selector, "key": self.dkim_key}
        missing = [name for name, value in given.items() if not value]
        if len(missing) == len(given):
            return
        for name in missing:
            yield f"dkim-{name}", "it is missing; signing needs dkim-domain, dkim-selector and dkim-key"
        for name, value in (("domain", self.dkim_domain), ("selector", self.dkim_selector)):
            if value and not re.fullmatch(rf"{LABEL}(?:\.{LABEL})*", value):
                yield f"dkim-{name}", f"expected a name such as the DNS has, found {parse.repeated(value)}"
        if strange := [name for name in self.dkim_headers if not FIELD.fullmatch(name)]:
            yield "dkim-headers", f"expected names of header fields, found {parse.repeated(strange[0])}"
        if self.dkim_headers and "from" not in map(str.lower, self.dkim_headers):
            yield "dkim-headers", "From must be among them (RFC 6376 §5.4)"
        key = self.dkim_key
        if key is not None and (key.reveal() or key.file):  # a credential cannot be seen outside of the unit
            try:
                signing_key(key)
            except ValueError as error:
                yield "dkim-key", str(error)

    def signing_dangers(self, senders: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Senders, as `senders` has them, whose mail the signature does not speak for (RFC 7489 §3.1.1)."""
        ours = self.dkim_domain.lower()
        for sender in senders if ours else ():
            domain = sender.lower().rpartition("@")[2]
            if f".{domain}".endswith(f".{ours}") or f".{ours}".endswith(f".{domain}"):
                continue
            wrong = f"it is not the domain of {sender}, so that to DMARC that mail is not signed"
            yield "dkim-domain", f"{wrong}; another [smtp-client-NAME] for it would be right"


def signing_key(secret: Secret) -> RSAPrivateKey | Ed25519PrivateKey:
    """The key that a PEM text holds.

    Raises:
        ValueError: it holds none, or one that cannot sign mail; the text never holds any of it.
    """
    wanted = "expected a private key (PEM), RSA or Ed25519, without a password"
    if secret.literal and "-----BEGIN" not in secret.reveal():
        raise ValueError(f"{wanted}, as file:PATH")
    try:
        key = load_pem_private_key(secret.reveal().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # its own words name no file
        raise ValueError(f"{secret.file or 'it'} holds no such key: {wanted}") from error
    if isinstance(key, RSAPrivateKey):
        if key.key_size < LEAST_BITS:
            raise ValueError(f"the key has {key.key_size} bits; expected 2048, {LEAST_BITS} at least (RFC 8301)")
    elif not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{wanted}, found another kind of key")
    return key
