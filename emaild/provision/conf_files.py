"""Changing the files of `conf.d`: by one at a time, checked as a whole first, all of them or none.

    with changing(conf, also=rule_checks.faults) as files:
        before = files.read("support.conf")  # bytes; None: there is no such file
        files.write({"support.conf": Content(b"[pop-client-support]\n..."), "old.conf": None})

What lies there, and what it becomes, is the same for whoever else changes files by this, until the block ends. The
daemon reads a file as soon as it has its name, and never half of one.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from emaild.disk import NEW, sync, written
from emaild.errors import ConfigError, InputError, OperatorError
from emaild.interrupts import ended_by_signals, to_its_end
from emaild.provision.conf_folder import opened_alone
from emaild.settings.files import folder_of, main_file
from emaild.settings.ini import Fault
from emaild.settings.load import Settings, load

MOST_RIGHTS, MOST_OF_SECRETS = 0o664, 0o640

Also = Callable[[Settings], Iterable[Fault]]


class NotTakenBack(OperatorError):
    """A change that failed could not be taken back; the text names what must be looked at."""

    exit_code = os.EX_IOERR


@dataclass(frozen=True)
class Content:
    """What a file is to hold. `secret`: it is for nobody but the daemon's user, whatever the conf file's mode is."""

    data: bytes = field(repr=False)  # it may hold a password
    secret: bool = False


Changes = Mapping[str, Content | None]
"""By the name of the file in conf.d; None: it goes. Names that do not end in .conf are no conf files: passwords."""


@contextlib.contextmanager
def changing(conf: Path, also: Also = lambda settings: ()) -> Iterator[ConfFiles]:
    """The files of `conf.d` beside the conf file (or folder) *conf*, which nobody else changes by this meanwhile.

    *also* finds what only floors above can see in settings (the rules'), as `emaild check` does. The folder is made
    where it is missing, as the conf file's folder is, and removed again where nothing was written. Meanwhile SIGTERM
    and SIGHUP interrupt as Ctrl-C does.

    Raises:
        Conflict: another process has it, and does not come to an end.
        InputError: the folder cannot be made, or may not be read.
    """
    main = Path(os.path.normpath(main_file(conf)))
    folder = folder_of(conf)
    try:
        descriptor, made = opened_alone(folder)
    except OSError as error:
        right = (
            "run this as the user whom it belongs to" if isinstance(error, PermissionError) else "nothing was changed"
        )
        raise InputError(f"{folder}: {error.strerror}; {right}") from error
    try:
        files = ConfFiles(main, folder, also)
        files.sweep()
        with ended_by_signals():
            yield files
    finally:
        if made:
            with contextlib.suppress(OSError):  # it is not empty
                folder.rmdir()
        os.close(descriptor)


class ConfFiles:
    """The files of one `conf.d`, locked; made by `changing`."""

    def __init__(self, main: Path, folder: Path, also: Also) -> None:
        self.folder = folder
        self._main = main
        self._also = also

    def read(self, name: str) -> bytes | None:
        """What a file holds; None: it is not there.

        Raises:
            InputError: it cannot be read.
        """
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputError(f"{self._path(name)}: {error.strerror}") from error

    def check(self, changes: Changes) -> Settings:
        """The settings as they would be with these changes; the files stay as they are.

        A secret that is named by `file:` must be there already: `write` sees to that.

        Raises:
            ConfigError: with the lines that `emaild check` would print.
        """
        conf = {self._path(name): new.data if new else None for name, new in changes.items() if _is_conf(name)}
        settings = load(self._main, outside_unit=True, instead=conf)
        if faults := tuple(str(fault) for fault in self._also(settings)):
            raise ConfigError(faults)
        return settings

    def write(self, changes: Changes) -> Settings:
        """Make these changes, on the disk when it returns; the settings that they lead to.

        First come the files that are no conf files, then conf files, at last what goes: so the power may fail between
        two files, and what a conf file names is there. One conf file changes whole or not at all; of several some may
        have, where the power fails or the process is killed. Whatever else goes wrong, an interrupt too, each file is
        again what it was.

        Raises:
            ConfigError: as `check`. InputError: a file cannot be written, or is a symbolic link.
            NotTakenBack: the same, and not all files are what they were.
        """
        settings = None
        try:
            with contextlib.ExitStack() as stack:
                made = {name: stack.enter_context(self._new(name, new)) for name, new in changes.items() if new}
                kept = {name: stack.enter_context(self._kept(name)) for name in changes}
                settings = self._put(changes, made, kept)
        except OSError as error:
            if settings is None:  # else all of it is on the disk, and only what is swept away the next time is left
                path = self.folder if NEW in str(error.filename or NEW) else error.filename
                raise InputError(f"{path}: {error.strerror}; nothing was changed") from error
        assert settings is not None
        return settings

    def _put(self, changes: Changes, made: Mapping[str, str], kept: Mapping[str, str | None]) -> Settings:
        begun: list[str] = []

        def put(name: str) -> None:
            begun.append(name)  # before it is done: an interrupt may come between the two
            if name in made:
                os.replace(made[name], self._path(name))
            else:
                self._path(name).unlink(missing_ok=True)
            sync(self.folder)

        try:
            for name in (name for name in made if not _is_conf(name)):
                put(name)
            settings = self.check(changes)
            for name in sorted(changes.keys() - begun, key=lambda name: (name not in made, not _is_conf(name), name)):
                put(name)
        except BaseException as error:
            if lost := to_its_end(lambda: self._put_back({name: kept[name] for name in reversed(begun)})):
                wrong = "; ".join(str(error).splitlines()) or "interrupted"
                raise NotTakenBack(f"{wrong}; not taken back: look at {', '.join(lost)} in {self.folder}") from error
            raise
        return settings

    def _put_back(self, kept: Mapping[str, str | None]) -> list[str]:
        """Make each file again what was kept of it. Returns what that failed for; what it was is then beside it."""
        lost = []
        for name, old in kept.items():
            try:
                if old is None:
                    self._path(name).unlink(missing_ok=True)
                else:
                    os.replace(old, self._path(name))
            except OSError:
                lost.append(name + self._saved(name, old))
        try:
            sync(self.folder)
        except OSError:
            return lost or [*kept]
        return lost

    def _saved(self, name: str, old: str | None) -> str:
        """Give what was kept of a file a name under which it is not swept away, and say so."""
        if old is not None:
            with contextlib.suppress(OSError):
                os.replace(old, self.folder / f"{name}.old")
                return f" (it was {name}.old)"
        return ""

    @contextlib.contextmanager
    def _new(self, name: str, content: Content) -> Iterator[str]:
        """A new file under another name, with the rights that it shall have."""
        with written(self.folder, content.data) as made:
            self._give_rights(made, name, secret=content.secret)
            sync(Path(made))
            yield made

    @contextlib.contextmanager
    def _kept(self, name: str) -> Iterator[str | None]:
        """The file of now under another name, to go back to without needing room on the disk; None: there is none."""
        path, other = self._path(name), self.folder / f"{NEW}{os.getpid()}-{name}"
        if path.is_symlink():
            raise InputError(f"{path} is a symbolic link; change the file that it leads to by hand")
        if not path.exists():
            yield None
            return
        os.link(path, other)
        try:
            yield str(other)
        finally:
            with contextlib.suppress(OSError):  # it is swept away the next time
                other.unlink(missing_ok=True)

    def _give_rights(self, made: str, name: str, *, secret: bool) -> None:
        """Those of the file that was there, else of the main one."""
        path = self._path(name)
        like = os.stat(path if path.exists() else self._main)
        most = MOST_OF_SECRETS if secret else MOST_RIGHTS
        group = self._daemons_group(like) if secret else like.st_gid
        mode = (like.st_mode & most) | stat.S_IRUSR | stat.S_IWUSR
        try:
            os.chown(made, like.st_uid if os.geteuid() == 0 else -1, group)
        except PermissionError:  # not root, nor in that group: then it is for nobody but us
            mode &= ~(stat.S_IRWXG if secret else 0)
        os.chmod(made, mode)

    def _daemons_group(self, like: os.stat_result) -> int:
        """Who may read secrets: the conf file's group; the state directory's where everybody reads the conf file."""
        if like.st_mode & stat.S_IROTH:
            with contextlib.suppress(ConfigError, OSError):
                return load(self._main, outside_unit=True).emaild.state_directory.stat().st_gid
        return like.st_gid

    def sweep(self) -> None:
        """Remove what a process left that was killed while it wrote."""
        for left in self.folder.glob(f"{NEW}*"):
            with contextlib.suppress(OSError):
                left.unlink()

    def _path(self, name: str) -> Path:
        if not name.isprintable() or "/" in name or name[:1] in ("", "."):
            raise InputError(f"{name!r} cannot be the name of a file in {self.folder}")
        return self.folder / name


def _is_conf(name: str) -> bool:
    return name.endswith(".conf")
