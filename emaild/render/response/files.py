"""Files in a folder of the operator's, and nothing outside it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

LARGEST_TEXT = 2 << 20  # bytes of a body, a conf file or a saved code
LARGEST_FILE = 50 << 20  # bytes of an attachment; few servers take as much


class Refused(ValueError):
    """A file that is not taken; the text says why, `line` which of its lines is the cause."""

    def __init__(self, reason: str, line: int = 1) -> None:
        super().__init__(reason)
        self.line = line


def content_of(path: Path, folder: Path, largest: int = LARGEST_TEXT) -> bytes:
    """The bytes of a file in *folder*; links are followed as long as they stay in it.

    Raises:
        FileNotFoundError: there is none.
        Refused: it lies outside, is no plain file, too large, or cannot be read.
    """
    try:
        real = path.resolve(strict=True)
        if not real.is_relative_to(folder.resolve()):
            raise Refused(f"the link leads out of {folder}; put the file there")
        if not real.is_file():
            raise Refused("it is no plain file")
        if real.stat().st_size > largest:
            raise Refused(f"it is too large; expected at most {largest >> 20} MiB")
        return real.read_bytes()
    except FileNotFoundError:
        raise
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle, before Python 3.13
        raise Refused(f"it cannot be read: {getattr(error, 'strerror', None) or error}") from error


def text_of(path: Path, folder: Path) -> str:
    """The same as text, its line ends LF.

    Raises:
        FileNotFoundError, Refused: as for its bytes; also where it is not UTF-8.
    """
    content = content_of(path, folder)
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        reason = f"byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise Refused(reason, line) from error


def names_in(folder: Path) -> list[str]:
    """The names of what lies in a folder, sorted; of none where there is no folder. Hidden ones are passed over."""
    try:
        found: Iterable[Path] = list(folder.iterdir())
    except OSError:
        return []
    return sorted(path.name for path in found if not path.name.startswith("."))
