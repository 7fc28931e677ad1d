"""OMA Client Provisioning's own form for mail: APPLICATION characteristics become the nodes of EMAIL2.

Source: OMA's application characteristics ac110 (POP3), ac143 (IMAP4) and ac25 (SMTP); OMA-WAP-ProvCont 1.1 §4.6.9.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from email.utils import parseaddr
from uuid import UUID, uuid5
from xml.etree.ElementTree import Element

from emaild.provision.email2.places import Code, Refused
from emaild.settings.email2_nodes import NODES

TYPES = {"110": "POP3", "143": "IMAP4"}
SMTP = "25"
APPLICATION_IDS = (*TYPES, SMTP)
FAMILY = UUID("6f1d34f6-5a0f-5f4e-9d6c-0a3f1b0c7e52")
"""What the GUIDs of such accounts are made below: the same provider and user lead to the same account again."""
ENCRYPTED = re.compile(r"starttls|(?:imap|pop3|smtp)s|993|995|465", re.IGNORECASE)


def parm(element: Element | None, name: str) -> str:
    """The value of a parm right below an element, "" where there is none."""
    for one in element.findall("parm") if element is not None else ():
        if one.get("name", "").upper() == name:
            return one.get("value", "")
    return ""


def below(element: Element, type: str) -> list[Element]:
    """The characteristics of that type right below an element."""
    return [one for one in element.findall("characteristic") if one.get("type", "").upper() == type]


def accounts_of(applications: Iterable[Element]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The accounts that APPLICATION characteristics make together: the GUID of each, and its nodes.

    Those with the same PROVIDER-ID are one account, and so are those without any.

    Raises:
        Refused: two of them read mail, or send it, for one account, or none reads it.
    """
    providers: dict[str, dict[str, Element]] = {}
    for one in applications:
        kind = "out" if parm(one, "APPID") == SMTP else "in"
        known = providers.setdefault(parm(one, "PROVIDER-ID").strip(), {})
        if kind in known:
            raise Refused(Code.BAD_REQUEST, "two APPLICATIONs of one PROVIDER-ID do the same; keep one of them")
        known[kind] = one
    for provider, known in providers.items():
        if "in" not in known:
            raise Refused(Code.BAD_REQUEST, f"no APPLICATION of PROVIDER-ID {provider[:40]!r} has the APPID 110 or 143")
        yield _account(provider, known["in"], known.get("out"))


def _account(provider: str, incoming: Element, outgoing: Element | None) -> tuple[str, dict[str, str]]:
    user, secret = _credentials(incoming)
    server, encrypted = _server(incoming)
    nodes = {
        "ACCOUNTTYPE": "Email",
        "SERVICETYPE": TYPES[parm(incoming, "APPID")],
        "SERVICENAME": (parm(incoming, "NAME").strip() or provider or server)[: NODES["SERVICENAME"].longest],
        "SYNCINGCONTENTTYPES": "0x2",
        "INSERVER": server,
        "AUTHNAME": user,
        "AUTHSECRET": secret,
        "TAGPROPS/8128000B": encrypted,
    }
    if outgoing is not None:
        nodes |= _outgoing(outgoing, user, secret)
    guid = uuid5(FAMILY, f"{provider or server}\n{user}".lower())
    return str(guid), {name: value for name, value in nodes.items() if value or name == "SMTPALTDOMAIN"}


def _outgoing(outgoing: Element, user: str, secret: str) -> dict[str, str]:
    server, encrypted = _server(outgoing)
    name, address = parseaddr(parm(outgoing, "FROM"))
    own_user, own_secret = _credentials(outgoing)
    nodes = {
        "OUTSERVER": server,
        "TAGPROPS/812C000B": encrypted,
        "REPLYADDR": address or parm(outgoing, "RT-ADDR") or user,
        "NAME": name,
        "AUTHREQUIRED": "1" if own_user else "0",
    }
    if own_user and (own_user, own_secret) != (user, secret):
        nodes |= {
            "SMTPALTENABLED": "TRUE",
            "SMTPALTAUTHNAME": own_user,
            "SMTPALTDOMAIN": "",
            "SMTPALTPASSWORD": own_secret,
        }
    return nodes


def _credentials(application: Element) -> tuple[str, str]:
    found = next(iter(below(application, "APPAUTH")), None)
    return parm(found, "AAUTHNAME").strip(), parm(found, "AAUTHSECRET")


def _server(application: Element) -> tuple[str, str]:
    """`server:port`, and "1" where a SERVICE or the port itself says that it is encrypted."""
    address = next(iter(below(application, "APPADDR")), None)
    host = (parm(address, "ADDR") or parm(application, "ADDR")).strip()
    found = below(address, "PORT") if address is not None else []
    ports = [(parm(one, "PORTNBR").strip(), parm(one, "SERVICE").strip()) for one in found]
    safe = [port for port, service in ports if ENCRYPTED.fullmatch(service) or ENCRYPTED.fullmatch(port)]
    port = next(iter([*safe, *(port for port, _ in ports)]), "")
    return f"{host}:{port}" if port else host, "1" if safe else ""
