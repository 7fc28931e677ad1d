"""Whose mail it is that a program has sent."""

from __future__ import annotations

from emaild.settings.load import Settings
from emaild.settings.routes import STATE_CALLER, Caller


def caller_of(settings: Settings, client: str, interactive: bool | None = None) -> Caller:
    """The program with that token; *interactive* is what it says itself, None: nothing."""
    sections = (one for name, one in settings.api_tokens.items() if name.removeprefix("api-token-") == client)
    section = next(sections, None)
    if section is None:  # the token of the state directory, or of a section that is no more
        return Caller(name=client if client == STATE_CALLER else "", interactive=bool(interactive))
    return Caller(
        name=section.name,
        interactive=section.interactive if interactive is None else interactive,
        sender_override=section.sender_override,
    )
