"""`[email2-GUID]`: what a Windows provisioning document said of an e-mail account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

from emaild.settings import parse
from emaild.settings.email2_nodes import NODES
from emaild.settings.option import Family, SectionKind, option
from emaild.settings.secret import Secret


@dataclass(frozen=True, kw_only=True)
class Email2Section:
    """An account of a provisioning document; GUID is its name."""

    kind: ClassVar[SectionKind] = SectionKind(
        name="email2",
        family=Family.ALWAYS_NAMED,
        help="What a Windows provisioning document (EMAIL2) said of an e-mail account, one line a node; NAME is the"
        " account's GUID. 'emaild provision' writes it, with the sections that it becomes, and answers from it.",
    )
    others: ClassVar[str] = "nodes"
    """The field that takes the options which are not declared."""

    name: str = ""
    smtp_alt_password: Secret | None = option(
        parse.optional(parse.secret),
        default="",
        ours=True,
        help="The node SMTPALTPASSWORD, where the way out does not use it.",
    )
    nodes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def check(self) -> Iterator[tuple[str, str]]:
        """What is wrong in it, as (node, what would be right)."""
        for name, text in self.nodes.items():
            node = NODES.get(name.upper())
            if node is None or node.secret:
                yield name, "no such node" if node is None else "it has no place here; it is the mailbox's password"
                continue
            try:
                node.read(text)
            except ValueError as error:
                yield name, str(error)
