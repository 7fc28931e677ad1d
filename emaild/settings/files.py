"""Which files are read, in which order, and whether anything in them changed.

The order: the file that `--conf` names; after each file the ones that its `[emaild] include` names, one after the
other; at last `conf.d/*.conf` beside the first file, by name. No file is read twice.
"""

from __future__ import annotations

import errno
import glob
import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from emaild.settings.daemon import EmaildSection
from emaild.settings.ini import Fault, Place, RawOption, read
from emaild.settings.option import options, same_name

LARGEST = 16 << 20  # bytes; a hundred thousand sections fit
INCLUDE = next(option for option in options(EmaildSection) if option.field == "include")


@dataclass
class Reading:
    """What was read: `files` in their order with what they hold, the `folders` in which more may appear, `faults`.

    Files in `instead` were taken to hold that, None: to be gone.
    """

    instead: Mapping[Path, bytes | None] = field(default_factory=dict)

    files: dict[Path, bytes] = field(default_factory=dict)
    folders: dict[Path, None] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    order: list[Path] = field(default_factory=list)

    @property
    def watched(self) -> tuple[Path, ...]:
        """Where a change may change what is read: the files, and one path in each of the folders."""
        return (*self.files, *(folder / "any.conf" for folder in self.folders))

    def digest(self, others: Iterable[Path] = ()) -> str:
        """One value that changes when a file changes, or the list of files, or what *others* hold.

        That a file cannot be read is part of it.
        """
        total = hashlib.sha256()
        for path, content in [*self.files.items(), *((path, _content_or_error(path)) for path in others)]:
            total.update(f"{path}\0{len(content)}\0".encode())
            total.update(content)
        return total.hexdigest() + "".join(f" {fault}" for fault in self.faults)


def main_file(conf: Path) -> Path:
    """The file that `--conf` names: itself, or emaild.conf in that folder."""
    return conf / "emaild.conf" if os.path.isdir(conf) else conf


def folder_of(conf: Path) -> Path:
    """The folder conf.d beside the file that `--conf` names."""
    return Path(os.path.normpath(main_file(conf))).parent / "conf.d"


def read_files(conf: Path, instead: Mapping[Path, bytes | None] | None = None) -> Reading:
    """Read everything that *conf* leads to; files in *instead* as if they held that, None: as if they were gone.

    A file that is not there yet is read in `conf.d` alone.
    """
    reading = Reading(instead or {})
    main = main_file(conf)
    _read(main, None, (), reading)
    folder = folder_of(conf)
    reading.folders[folder] = None
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        names = []
    except OSError as error:
        names = []
        reading.order.append(folder)
        reading.faults.append(Fault(Place(folder, 1), "", "", f"cannot read the folder: {error.strerror}"))
    for name in sorted({*names, *(path.name for path in reading.instead if path.parent == folder)}):
        # Hidden files are the locks and drafts of editors.
        gone = reading.instead.get(folder / name, b"") is None
        if name.endswith(".conf") and not name.startswith(".") and not gone:
            _read(folder / name, None, (), reading)
    return reading


def _read(path: Path, named: tuple[Place, str] | None, above: tuple[Path, ...], reading: Reading) -> None:
    """One file and what it includes. *named* is where, and as what, another file includes it."""
    path = Path(os.path.normpath(path))
    if path in above:
        assert named is not None
        circle = " -> ".join(str(file) for file in (*above[above.index(path) :], path))
        reading.faults.append(
            Fault(named[0], "emaild", "include", f"a circle of files: {circle}; take one include out")
        )
        return
    if path in reading.files:
        return
    try:
        content = reading.instead.get(path)
        if content is None:
            content = _content(path, any_kind=named is None)
    except OSError as error:
        wrong = f"cannot read the file: {error.strerror}"
        if named is None:
            reading.order.append(path)
            reading.faults.append(Fault(Place(path, 1), "", "", wrong))
        else:
            instead = f"; {named[1]}/*.conf would be right" if isinstance(error, IsADirectoryError) else ""
            reading.faults.append(Fault(named[0], "emaild", "include", f"{named[1]}: {wrong}{instead}"))
        return
    reading.files[path] = content
    reading.order.append(path)
    given = _include(path, content)
    if given is None:
        return
    for pattern in INCLUDE.parser.read(given.text):
        for found in _matching(path.parent, pattern, reading):
            _read(found, (given.place, pattern), (*above, path), reading)


def _include(path: Path, content: bytes) -> RawOption | None:
    if b"emaild" not in content.lower():
        return None
    sections, _ = read([(path, content)])
    return sections["emaild"].options.get(same_name(INCLUDE.name)) if "emaild" in sections else None


def _matching(home: Path, pattern: str, reading: Reading) -> list[Path]:
    """The files of a pattern by name; a plain path names itself, there or not."""
    path = home / os.path.expanduser(pattern)
    reading.folders[path.parent] = None
    if not glob.has_magic(str(path)):
        return [path]
    return [Path(found) for found in sorted(glob.glob(str(path)))]


def _content(path: Path, *, any_kind: bool) -> bytes:
    """What a file holds. Only the one that `--conf` names may be a pipe: no pattern shall wait for one.

    Raises:
        OSError: it cannot be read, is no file, or is larger than a conf file can be.
    """
    if not any_kind and not path.is_file():
        path.stat()
        raise (
            IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            if path.is_dir()
            else OSError(errno.EINVAL, "it is no file")
        )
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise OSError(errno.EFBIG, f"it is larger than {LARGEST >> 20} MiB")
    return content


def _content_or_error(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        return repr(error).encode()
