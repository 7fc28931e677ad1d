"""OMA Client Provisioning: what a wap-provisioningdoc wants of accounts, and what becomes of it, all or nothing.

Source: OMA-WAP-ProvCont 1.1; "EMAIL2 CSP".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from emaild.provision.email2.applications import APPLICATION_IDS, accounts_of, parm
from emaild.provision.email2.drafts import Accounts, Draft
from emaild.provision.email2.places import GROUP, Code, Place, Refused, guid_of, node_of
from emaild.settings.email2_nodes import Operation

PROVIDER = "EMAIL2"
NOTHING = "expected the characteristic EMAIL2, or an APPLICATION with the APPID 110, 143 or 25"
ALIKE = {"nocharacteristic": "noparm", "characteristic-query": "parm-query"}
"""What is done to a characteristic as to a parm."""


@dataclass(frozen=True)
class Told:
    """What a document asked for, in lines for people; or what is wrong with it, and nothing was done."""

    answers: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Step:
    """One thing to do to a node, "" for an account itself. `action` is a tag of the document, or what ALIKE says."""

    action: str
    account: str
    node: str = ""
    value: str = field(default="", repr=False)  # it may be a password


def provisioned(root: Element, accounts: Accounts) -> Told:
    """Carry a wap-provisioningdoc out. It may change several accounts: all of them or none.

    Raises:
        OperatorError: they cannot be kept; nothing was changed.
        RollBackFailed: as `Accounts.keep`.
    """
    draft = Draft(accounts)
    answers: list[str] = []
    wrong: list[str] = []
    try:
        steps = [*_steps(root), *_of_applications(root)]
    except Refused as error:
        return Told(wrong=(str(error),))
    if not steps:
        return Told(wrong=(NOTHING,))
    for step in steps:
        try:
            answers += _carried_out(step, draft)
        except Refused as error:
            wrong.append(str(error))
    wrong += map(str, draft.misfits())
    if wrong:
        return Told(wrong=tuple(dict.fromkeys(wrong)))
    draft.keep()
    return Told(answers=tuple(answers))


def _steps(root: Element) -> Iterator[_Step]:
    """What the document wants of EMAIL2, in its order; other providers' characteristics are passed over."""
    for one in root:
        if one.get("type", "").upper() != PROVIDER:
            continue
        if one.tag != "characteristic":
            raise Refused(Code.NOT_ALLOWED, f"{one.tag} {PROVIDER}: accounts are not listed, nor removed all at once")
        for account in one:
            yield from _of_account(account)


def _of_applications(root: Element) -> Iterator[_Step]:
    found = [
        one for one in root if one.get("type", "").upper() == "APPLICATION" and parm(one, "APPID") in APPLICATION_IDS
    ]
    for guid, nodes in accounts_of(found):
        yield from (_Step("parm", f"{{{guid}}}", name, value) for name, value in nodes.items())


def _of_account(account: Element) -> Iterator[_Step]:
    guid = account.get("type", "")
    children = list(account)
    if account.tag != "characteristic" or all(child.tag in ("parm", "characteristic") for child in children):
        yield _Step(ALIKE.get(account.tag, account.tag), guid)
    for child in children:
        group = child.get("type", "")
        if child.tag == "characteristic":
            yield _Step("characteristic", guid, group)
            yield from (_Step(leaf.tag, guid, f"{group}/{leaf.get('name')}", leaf.get("value", "")) for leaf in child)
        elif child.tag in ALIKE:
            yield _Step(ALIKE[child.tag], guid, group)
        else:
            yield _Step(child.tag, guid, child.get("name") or "?", child.get("value", ""))


def _carried_out(step: _Step, draft: Draft) -> list[str]:
    """Do one thing; returns the lines that a query asks for."""
    place = Place(guid_of(step.account), node_of(step.node))
    match step.action:
        case "parm-query":
            return [f"{Place(place.account, name)}: {value}" for name, value in draft.values(place).items()]
        case "noparm":
            draft.change(Operation.DELETE, place, "")
        case "characteristic" if place.node in ("", GROUP):
            draft.change(Operation.REPLACE, place, "")
        case "parm" if place.node not in ("", GROUP):
            draft.change(Operation.REPLACE, place, step.value)
        case _:
            raise Refused(Code.BAD_REQUEST, f"{place}: a {step.action[:40]} has no place there")
    return []
