"""Why a question led to nothing."""

from __future__ import annotations

from emaild.provision.discover.found import Came


class Unfit(Exception):
    """A question that did not lead to servers: what came instead, and a line for a person."""

    def __init__(self, came: Came, text: str) -> None:
        super().__init__(f"{came}: {text}")
        self.came = came
        self.text = text
