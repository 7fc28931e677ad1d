"""placeholder"""

from emaild.cli.registry import Add


def register(add: Add) -> None: ...
