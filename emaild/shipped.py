"""Where the files lie that come with emaild: conf, templates, systemd."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parent


def shipped(folder: str) -> Path:
    """The folder of that name: inside the package of an installed wheel, at the top of a checkout."""
    installed = PACKAGE / "shipped" / folder
    return installed if installed.is_dir() else PACKAGE.parent / folder
