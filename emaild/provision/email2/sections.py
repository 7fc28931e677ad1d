"""What the nodes of an account become: the sections of its conf file, and the account that such a file holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from emaild.provision.email2.drafts import Account
from emaild.provision.heads import DOCUMENT
from emaild.provision.section_text import line_of, sections_in, with_options, without
from emaild.settings.email2_nodes import ALL_CONTENTS, MAIL, NODES, OUTGOING, content_types, server_and_port
from emaild.settings.ini import read
from emaild.settings.parse import is_address
from emaild.settings.server import Security

LINGER = "15"
"""The minutes of LINGER where no document names them."""
KEPT_HERE = "SMTPALTPASSWORD"
INCOMING = ("AUTHNAME", "DOMAIN", "AUTHSECRET")
TYPES = {"IMAP4": "IMAP", "POP3": "POP3"}
FULLEST: Account = {
    **{node.name: node.values[-1] if node.values else "any" for node in NODES.values()},
    "INSERVER": "any:1",
    "OUTSERVER": "any:1",
    "REPLYADDR": "any@example.com",
    "SERVERDELETEACTION": "2",
    "SERVICETYPE": "IMAP4",
    "SYNCINGCONTENTTYPES": "0x0",
    "TAGPROPS/8128000B": "0",
    "TAGPROPS/812C000B": "0",
}
"""An account that becomes all options that an account can become."""
MISSING = {
    "pop-client": "no AUTHSECRET has come, so that there is no mailbox to read",
    "smtp-client": "nothing can be sent: OUTSERVER, REPLYADDR, or the password that it needs, is missing",
}


def file_of(guid: str) -> str:
    """The name of the file in conf.d that holds an account."""
    return f"email2-{guid}.conf"


def account_in(content: bytes, guid: str) -> Account | None:
    """The account that a conf file holds, None where it holds none of that GUID.

    Secrets are as they stand there, and so is what another hand wrote that is no value of its node.
    """
    sections, _ = read([(Path(file_of(guid)), content)])
    own = sections.get(f"email2-{guid}")
    if own is None:
        return None
    texts = {option.name.upper(): option.text for option in own.options.values()}
    account = {name: _read(name, text) for name, text in texts.items() if name in NODES}
    secrets = {"AUTHSECRET": f"pop-client-email2-{guid}"}
    if uses_alternative(account):
        secrets[KEPT_HERE] = f"smtp-client-email2-{guid}"
    for node, section in secrets.items():
        found = sections[section].options.get("password") if section in sections else None
        if found is not None:
            account[node] = found.text
    return account


def _read(name: str, text: str) -> str:
    if NODES[name].secret:
        return text
    try:
        return NODES[name].read(text)
    except ValueError:
        return text


def _is_readable(account: Account) -> bool:
    try:
        for name, text in account.items():
            if not NODES[name].secret:
                NODES[name].read(text)
    except ValueError:
        return False
    return True


def uses_alternative(account: Account) -> bool:
    """Whether the way out signs in with credentials of its own."""
    return account.get("AUTHREQUIRED") == "1" and account.get("SMTPALTENABLED") == "TRUE"


def conf_text(guid: str, account: Account, before: bytes = b"") -> bytes:
    """The conf file of an account. What other hands wrote into *before*, the file until now, stays in it."""
    had = account_in(before, guid) or {}
    # Which options came from a node that cannot be read is not to be told: so all that might have are set anew.
    now, then = sections_of(guid, account), sections_of(guid, had if _is_readable(had) else FULLEST)
    text = without(before or DOCUMENT, [section for section, options in now.items() if options is None]) or DOCUMENT
    for section, options in now.items():
        if options is not None and section in sections_in(text):
            text = with_options(text, section, {**dict.fromkeys(then[section] or ()), **options})
        elif options is not None:
            lines = ["", f"[{section}]", *(line_of(name, value) for name, value in options.items()), ""]
            text += "\n".join(lines).encode()
    return text


def conf_without(guid: str, before: bytes) -> bytes | None:
    """The file without the account; None: nothing else is in it."""
    return without(before, sections_of(guid, {}))


def sections_of(guid: str, account: Account) -> dict[str, dict[str, str] | None]:
    """The options of its three sections by the names of these; None for one that cannot be.

    So it is with a mailbox and a way out where another hand took a node away that must be there.
    """
    name = f"email2-{guid}"
    whole = all(account.get(node.name) for node in NODES.values() if node.required and node.name not in OUTGOING)
    box, way = (mailbox(account), way_out(account)) if whole else (None, None)
    used = {"AUTHSECRET"} | ({KEPT_HERE} if way is not None and uses_alternative(account) else set())
    own: dict[str, str] | None = {one: account[one] for one in NODES if one in account and one not in used}
    return {name: own, f"pop-client-{name}": box, f"smtp-client-{name}": way}


def mailbox(account: Account) -> dict[str, str] | None:
    """The options of the mailbox by their names; None: nobody can sign in."""
    if not account.get("AUTHSECRET"):
        return None
    return dict(_mailbox(account))


def _mailbox(account: Account) -> Iterator[tuple[str, str]]:
    imap = account["SERVICETYPE"] == "IMAP4"
    bits = content_types(account["SYNCINGCONTENTTYPES"])
    if bits != ALL_CONTENTS and not bits & MAIL:
        yield "enable-client", "false"
    yield "type", TYPES[account["SERVICETYPE"]]
    yield from _server(account["INSERVER"])
    yield from _security("pop-connection-security", account.get("TAGPROPS/8128000B", ""))
    yield "mailbox", _user(account["AUTHNAME"], account.get("DOMAIN", ""))
    yield "password", account["AUTHSECRET"]
    if account.get("REPLYADDR"):
        yield "address", account["REPLYADDR"]
    linger = account.get("LINGER") or LINGER
    yield "cycle-time", f"{linger}m" if linger != "0" else "0"
    if imap:
        yield "idle", "false"  # it would not wait for the interval
    if days := account.get("DWNDAY"):
        yield "first-fetch", "all"
        if days != "-1":
            yield "download-days", days
    yield from _after_fetch(account.get("SERVERDELETEACTION"), imap=imap)
    if account.get("KEEPMAX", "0") not in ("", "0"):
        yield "maximum-attachment-size", f"{account['KEEPMAX']}K"
    if account.get("RETRIEVE"):
        yield "retrieve-limit", account["RETRIEVE"]


def _after_fetch(action: str | None, *, imap: bool) -> Iterator[tuple[str, str]]:
    if action == "1":
        yield "after-fetch", "delete"
    elif action == "2" and imap:
        yield "after-fetch", "move"
        yield "after-fetch-folder", "\\Trash"
    elif action == "2":
        yield "after-fetch", "leave"  # POP3 has no Trash; what counts is that it stays on the server


def way_out(account: Account) -> dict[str, str] | None:
    """The options of the way out by their names; None: nothing can be sent."""
    server, sender = account.get("OUTSERVER"), account.get("REPLYADDR")
    signs_in = account.get("AUTHREQUIRED") == "1"
    names = ("SMTPALTAUTHNAME", "SMTPALTDOMAIN", KEPT_HERE)
    user, domain, password = (account.get(one, "") for one in (names if uses_alternative(account) else INCOMING))
    if not server or not sender or (signs_in and not password):
        return None
    options = dict(_server(server)) | dict(_security("smtp-connection-security", account.get("TAGPROPS/812C000B", "")))
    if signs_in:
        options |= {"enable-authentication": "true", "user": _user(user, domain), "password": password}
    else:
        options.pop("allow-plaintext-auth", None)
    options["senders"] = sender
    author = _author(account.get("NAME", ""), sender)
    if author and is_address(author):
        options["sender-override"] = author
    return options


def _server(text: str) -> Iterator[tuple[str, str]]:
    host, port = server_and_port(text)
    yield "server", host
    if port is not None:
        yield "port", str(port)


def _security(option: str, flag: str) -> Iterator[tuple[str, str]]:
    """TLS, then STARTTLS; then no encryption, unless it is required. Only a document that says so lets a password
    travel so."""
    yield option, (Security.ENCRYPTED if flag == "1" else Security.AUTOMATIC).value
    if flag == "0":
        yield "allow-plaintext-auth", "true"


def _user(name: str, domain: str) -> str:
    return f"{domain}\\{name}" if domain else name


def _author(name: str, address: str) -> str:
    """A From with that name, quoted where it must be (RFC 5322 §3.2.4)."""
    if not name:
        return ""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" <{address}>'
