"""Which way out a mail takes: by who wants it sent, the queue that it comes from, its sender, and whether one waits."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from emaild.settings.processing import ProcessingSection
from emaild.settings.way_out import WayOutSection

COMMAND_LINE = "command-line"
"""The caller that the commands `emaild send` and `emaild call` are."""
STATE_CALLER = "api-token"
"""The caller that programs are which use the token of the state directory."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who wants a mail sent: `name` is api-token-NAME, rule-NAME, COMMAND_LINE or STATE_CALLER; empty: emaild itself.

    `interactive`: a person waits for it. `sender_override` is the address whose mail all of it is to be.
    """

    name: str = ""
    interactive: bool = False
    sender_override: str = ""


SELF = Caller()
"""emaild itself."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A mail that is to be sent: its sender's address, and the queues that it, or the mail that it answers, was in.

    Of the queues the first counts most.
    """

    sender: str = ""
    queues: tuple[str, ...] = ()
    caller: Caller = SELF

    @property
    def author(self) -> str:
        """The bare address that the mail will be from, in lower case."""
        return (self.caller.sender_override.rpartition("<")[2].rstrip("> ") or self.sender).lower()


def claiming(wanted: Wanted, ways: Collection[WayOutSection]) -> WayOutSection | None:
    """The first that claims the caller, else a queue, else the sender; None: none does."""
    claims: list[tuple[str, set[str]]] = [
        ("callers", {wanted.caller.name.lower()}),
        *(("queues", {queue.lower()}) for queue in wanted.queues),
        ("senders", {wanted.author, "@" + wanted.author.rpartition("@")[2]}),
    ]
    for option, mine in claims:
        for way in ways:
            if (mine - {"", "@"}) & {claimed.lower() for claimed in getattr(way, option)}:
                return way
    return None


def way_out_for(
    wanted: Wanted, ways: Mapping[str, WayOutSection], processing: ProcessingSection
) -> WayOutSection | None:
    """The way that claims the mail, else that of interactive-way-out or batch-way-out, else [smtp-client] or the first.

    *ways* is in the order of the conf files; None where there is none.
    """
    found = claiming(wanted, ways.values())
    if found is not None:
        return found
    by_name = {name.lower(): way for name, way in ways.items()}
    usual = processing.interactive_way_out if wanted.caller.interactive else processing.batch_way_out
    first = next(iter(ways.values()), None)
    return by_name.get(usual.lower()) or by_name.get("smtp-client") or first
