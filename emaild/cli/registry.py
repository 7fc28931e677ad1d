"""How a module of commands registers them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Protocol


class Add(Protocol):
    """Adds a command; its parser is returned for more arguments. `--conf` is there already."""

    def __call__(self, name: str, does: Callable[[argparse.Namespace], int], help: str) -> argparse.ArgumentParser: ...
