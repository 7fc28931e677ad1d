"""The documents of an export: an account as SyncML, and as Client Provisioning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from xml.etree.ElementTree import Element, SubElement

from emaild.provision.email2.answer import xml_of
from emaild.provision.email2.places import GROUP
from emaild.settings.email2_nodes import NODES, Operation


def as_syncml(guid: str, nodes: Mapping[str, str]) -> str:
    """An Atomic that adds the account. What may not be added is replaced, which makes it."""
    numbers = map(str, count(1))
    root = Element("SyncML", xmlns="SYNCML:SYNCML1.2")
    head = SubElement(root, "SyncHdr")
    for name, text in (("VerDTD", "1.2"), ("VerProto", "DM/1.2"), ("SessionID", "1"), ("MsgID", "1")):
        SubElement(head, name).text = text
    body = SubElement(root, "SyncBody")
    atomic = SubElement(body, "Atomic")
    SubElement(atomic, "CmdID").text = next(numbers)
    account = f"./User/Vendor/MSFT/EMAIL2/0x7B{guid.upper()}0x7D"
    _command(atomic, "Add", next(numbers), account, "node", "")
    for name, value in nodes.items():
        command = "Add" if Operation.ADD in NODES[name].operations else "Replace"
        _command(atomic, command, next(numbers), f"{account}/{name}", "chr", value)
    SubElement(body, "Final")
    return _text(root)


def _command(parent: Element, name: str, number: str, uri: str, format: str, data: str) -> None:
    command = SubElement(parent, name)
    SubElement(command, "CmdID").text = number
    item = SubElement(command, "Item")
    SubElement(SubElement(item, "Target"), "LocURI").text = uri
    SubElement(SubElement(item, "Meta"), "Format", xmlns="syncml:metinf").text = format
    if format != "node":
        SubElement(item, "Data").text = data


def as_client_provisioning(guid: str, nodes: Mapping[str, str]) -> str:
    """The characteristic EMAIL2 with the account in it."""
    root = Element("wap-provisioningdoc")
    account = SubElement(
        SubElement(root, "characteristic", type="EMAIL2"), "characteristic", type=f"{{{guid.upper()}}}"
    )
    group = Element("characteristic", type=GROUP)
    for name, value in nodes.items():
        parent = group if name.startswith(f"{GROUP}/") else account
        SubElement(parent, "parm", name=name.rpartition("/")[2], value=value)
    if len(group):
        account.append(group)
    return _text(root)


def _text(root: Element) -> str:
    return xml_of(root).decode("ascii")


FORMATS: Mapping[str, Callable[[str, Mapping[str, str]], str]] = {"syncml": as_syncml, "cp": as_client_provisioning}
