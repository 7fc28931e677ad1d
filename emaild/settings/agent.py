"""`[agent-NAME]`: people whose names stand in mails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emaild.settings import parse
from emaild.settings.option import Family, SectionKind, option


@dataclass(frozen=True, kw_only=True)
class AgentSection:
    """A person; NAME is the login name."""

    kind: ClassVar[SectionKind] = SectionKind(
        name="agent",
        family=Family.ALWAYS_NAMED,
        help="A person whose names fill Agent.* in field codes; NAME is the login name.",
    )

    name: str = ""
    first_name: str = option(parse.text, default="", help="What Agent.FirstName is.")
    last_name: str = option(parse.text, default="", help="What Agent.LastName is.")
    full_name_given: str = option(
        parse.text,
        default="",
        name="full-name",
        in_effect="full_name",
        help="What Agent.FullName is. Empty: first-name and last-name.",
    )
    signature: str = option(
        parse.quoted, default="", help=r"What Agent.Signature is; \n in it stands for a line break."
    )

    @property
    def full_name(self) -> str:
        """The name in full."""
        return self.full_name_given or f"{self.first_name} {self.last_name}".strip()
