"""Sign-ins that are kept: a new one is used at once, and what could not be written is tried again."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from emaild.net.oauth import Sealed, SectionTokens

EVERY = 1.0  # seconds


class SignIns:
    """The job that looks for what `emaild login` left; *woken* is told each section that uses it."""

    name = "sign-ins"
    host = "state"

    def __init__(self, sealed: Sealed, tokens: Mapping[str, SectionTokens], woken: Callable[[str], None]) -> None:
        self._sealed = sealed
        self._tokens = tokens
        self._woken = woken

    def run(self) -> float:
        """Once a second."""
        self._sealed.flush()
        for name, tokens in list(self._tokens.items()):
            if tokens.is_signed_in_anew():
                self._woken(name)
        return EVERY
