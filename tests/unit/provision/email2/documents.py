"""Provisioning documents as tests write them, the command that carries them out, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring
from xml.sax.saxutils import escape, quoteattr

import pytest

from emaild.cli.main import command
from emaild.settings.load import Settings, load
from emaild.settings.mailbox import MailboxSection
from emaild.settings.way_out import WayOutSection

GUID = "C556E16F-56C4-4edb-9C64-D9469EE1FBE0"
OTHER = "0d3f2a10-0000-4000-8000-00000000000b"
ROOT = "./Vendor/MSFT/EMAIL2"
FILE = f"conf.d/email2-{GUID.lower()}.conf"
WHOLE: Mapping[str, str] = {
    "ACCOUNTTYPE": "Email",
    "SERVICENAME": "Contoso",
    "SERVICETYPE": "IMAP4",
    "SYNCINGCONTENTTYPES": "0x2",
    "INSERVER": "imap.contoso.example",
    "OUTSERVER": "smtp.contoso.example",
    "REPLYADDR": "ann@contoso.example",
    "AUTHNAME": "ann",
    "AUTHSECRET": "hunter2 & co",
}
"""All nodes that an account must have, and its password."""


def uri(node: str = "", guid: str = GUID, root: str = ROOT) -> str:
    """The address of a node as OMA DM writes it."""
    return f"{root}/0x7B{guid}0x7D" + (f"/{node}" if node else "")


def item(target: str, data: str | None = None, meta: str = "") -> str:
    """An Item, with Data where there is any."""
    shown = f"<Data>{escape(data)}</Data>" if data is not None else ""
    return f"<Item><Target><LocURI>{escape(target)}</LocURI></Target>{meta}{shown}</Item>"


def tell(name: str, *items: str, number: str = "5") -> str:
    """A command with its items."""
    return f"<{name}><CmdID>{number}</CmdID>{''.join(items)}</{name}>"


def atomic(*commands: str) -> str:
    """Commands in an Atomic."""
    return tell("Atomic", *commands, number="2")


def each(name: str, nodes: Mapping[str, str], guid: str = GUID) -> str:
    """One command that gives an account these nodes."""
    return tell(name, *(item(uri(node, guid), value) for node, value in nodes.items()))


def whole(name: str = "Replace", guid: str = GUID, **nodes: str | None) -> str:
    """An Atomic that sets up an account; nodes that are None are left out. `_` in a name stands for TAGPROPS/.

    OTHER is another user's.
    """
    usual = WHOLE if guid != OTHER else {**WHOLE, "AUTHNAME": "bo"}
    changes = {key.replace("_", "TAGPROPS/"): value for key, value in nodes.items()}
    given = {node: value for node, value in {**usual, **changes}.items() if value is not None}
    return atomic(each(name, given, guid))


def syncml(*commands: str, version: str = "1.2", namespace: str = ' xmlns="SYNCML:SYNCML1.2"') -> bytes:
    """A SyncML document."""
    head = (
        f"<VerDTD>{version}</VerDTD><VerProto>DM/{version}</VerProto><SessionID>7</SessionID><MsgID>3</MsgID>"
        "<Target><LocURI>urn:us</LocURI></Target><Source><LocURI>https://manager.example/</LocURI></Source>"
    )
    body = "".join(commands)
    return (f"<SyncML{namespace}><SyncHdr>{head}</SyncHdr><SyncBody>{body}<Final/></SyncBody></SyncML>").encode()


def parms(nodes: Mapping[str, str]) -> str:
    """Parms of Client Provisioning, those of TAGPROPS in a characteristic of their own."""

    def made(found: Mapping[str, str]) -> str:
        return "".join(f"<parm name={quoteattr(name)} value={quoteattr(value)}/>" for name, value in found.items())

    tags = {name.removeprefix("TAGPROPS/"): value for name, value in nodes.items() if name.startswith("TAGPROPS/")}
    group = f'<characteristic type="TAGPROPS">{made(tags)}</characteristic>' if tags else ""
    return made({name: value for name, value in nodes.items() if not name.startswith("TAGPROPS/")}) + group


def wap(inner: str, guid: str = f"{{{GUID}}}") -> bytes:
    """A wap-provisioningdoc with an EMAIL2 account."""
    account = f"<characteristic type={quoteattr(guid)}>{inner}</characteristic>"
    return wap_of(f'<characteristic type="EMAIL2">{account}</characteristic>')


def wap_of(inner: str) -> bytes:
    """A wap-provisioningdoc."""
    return f"<wap-provisioningdoc>{inner}</wap-provisioningdoc>".encode()


@dataclass(frozen=True)
class Answer:
    """What the command did: its exit code, what it printed, and what it said to people."""

    exit_code: int
    out: str
    err: str

    @property
    def root(self) -> Element:
        """The SyncML that was printed."""
        return fromstring(self.out.replace(' xmlns="', ' was="'))

    @property
    def codes(self) -> list[int]:
        """The codes of all Statuses but that of the header."""
        return [int(one.findtext("Data", "")) for one in self.root.iter("Status")][1:]

    @property
    def results(self) -> dict[str, str]:
        """What was asked for, by address."""
        found = self.root.iter("Results")
        return {
            one.findtext("Source/LocURI", ""): one.findtext("Data", "") for these in found for one in these.iter("Item")
        }


class Provisioned:
    """A conf file in a folder of its own, and documents for it."""

    def __init__(self, folder: Path, captured: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.conf = folder / "emaild.conf"
        self.file = folder / FILE
        self._captured = captured
        self.conf.write_text(f"[emaild]\nstate-directory = {folder}\n", encoding="utf-8")
        self.conf.chmod(0o600)

    def __call__(self, document: bytes) -> Answer:
        """Carry a document out."""
        (self.folder / "document.xml").write_bytes(document)
        return self.run(str(self.folder / "document.xml"))

    def run(self, *arguments: str) -> Answer:
        """Run `emaild provision` with these arguments."""
        self._captured.readouterr()
        code = command(["provision", "--conf", str(self.conf), *arguments])
        said = self._captured.readouterr()
        return Answer(code, said.out, said.err)

    def good(self, document: bytes) -> Answer:
        """Carry a document out that must succeed."""
        answer = self(document)
        assert answer.exit_code == 0, (answer.out, answer.err)
        return answer

    def settings(self) -> Settings:
        """What is set now."""
        return load(self.conf)

    def mailbox(self, guid: str = GUID) -> MailboxSection:
        """The mailbox of an account."""
        return self.settings().mailboxes[f"pop-client-email2-{guid.lower()}"]

    def way_out(self, guid: str = GUID) -> WayOutSection:
        """The way out of an account."""
        return self.settings().ways_out[f"smtp-client-email2-{guid.lower()}"]

    def files(self) -> dict[str, bytes]:
        """All that lies in conf.d."""
        folder = self.folder / "conf.d"
        return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}
