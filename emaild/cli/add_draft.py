"""What `emaild add` is about to write: tried first as if it stood there, then written, with the sign-ins for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from emaild.cli.owner import as_owner
from emaild.clock import SystemClock
from emaild.errors import Conflict, StateUnusable
from emaild.jobs.examine import Finding, Place, Section, examined
from emaild.net.oauth import Sealed
from emaild.net.oauth.grant import Grant, Way, grant_of
from emaild.net.oauth.sealed import SealBroken
from emaild.provision.account import Secrets
from emaild.provision.conf_files import Content, changing
from emaild.services import rule_checks
from emaild.settings.files import folder_of
from emaild.settings.load import Settings, load
from emaild.settings.secret import Secret
from emaild.store.engine import make_directory

TRIED = "EMAILD_ADD_{}"
"""The environment variables in which secrets are while the conf files are read for the trial, and no longer."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """`texts` are the conf files in conf.d, with the words for secrets; `secrets` what their files are to hold.

    `sections` are those that are new or changed, the mailbox first. `before` are the files that are replaced, as they
    were read; all others are new. `gone` are secrets' files that nobody needs any more.
    """

    conf: Path
    texts: Callable[[Secrets], Mapping[str, bytes]]
    secrets: Mapping[str, str] = field(repr=False)
    sections: tuple[str, ...]
    before: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    gone: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """The folder of its files."""
        return folder_of(self.conf)

    def final(self) -> Mapping[str, bytes]:
        """The conf files as they will be written."""
        return self.texts(lambda name: f"file:{self.folder.absolute() / name}")

    def settings(self) -> Settings:
        """The settings as they would be.

        Raises:
            ConfigError: with the lines that `emaild check` would print.
        """
        names = {name: TRIED.format(number) for number, name in enumerate(self.secrets)}
        texts = self.texts(lambda name: f"env:{names[name]}")
        os.environ.update({names[name]: value for name, value in self.secrets.items()})
        try:
            instead = {self.folder / name: text for name, text in texts.items()}
            return load(self.conf, outside_unit=True, instead=instead)
        finally:
            for name in names.values():
                del os.environ[name]

    def check_files(self) -> None:
        """Raises Conflict where a file is there that is to be new, or is not what it was when it was read."""
        for path in (self.folder / name for name in self.final()):
            there = path.read_bytes() if path.exists() else None
            if there != self.before.get(path.name):
                raise Conflict(f"{path} is there already, or changed meanwhile; nothing was changed")
        for path in (self.folder / name for name in self.secrets):
            if path.exists():
                wrong = f"{path} is there already, and may hold the secret of another section"
                raise Conflict(f"{wrong}; remove it where nobody needs it. Nothing was changed")

    def write(self) -> Settings:
        """Write it all; the settings of then.

        Raises:
            Conflict: a file is there that is not ours, or changed meanwhile. ConfigError, InputError: as `changing`.
        """
        with changing(self.conf, rule_checks.faults) as files:
            final = self.final()
            self.check_files()
            secrets = {name: Content(value.encode(), secret=True) for name, value in self.secrets.items()}
            texts = {name: Content(text) for name, text in final.items()}
            return files.write({**secrets, **texts, **dict.fromkeys(self.gone)})


def sections_of(settings: Settings, names: Sequence[str]) -> list[Section]:
    """Mailboxes and ways out by their names, in that order."""
    there = {section.name.lower(): section for section in settings.servers()}
    return [there[name.lower()] for name in names]


def signed_in_for(sections: Sequence[Section]) -> dict[str, tuple[Section, Grant]]:
    """Those that a person is to sign in for, by what the sign-in is kept under: one for all that share it."""
    found: dict[str, tuple[Section, Grant]] = {}
    for section in sections:
        grant = grant_of(section)
        if grant is not None and grant.way is Way.SIGNED_IN:
            found.setdefault(grant.sealed_name, (section, grant))
    return found


def found_of(settings: Settings, sections: Sequence[Section], sealed: Sealed) -> Iterator[tuple[Section, Finding]]:
    """The doctor's steps, with the sign-ins that *sealed* keeps."""
    clock = SystemClock()
    places = [Place(section=one, proxy=settings.proxy_for(one), sealed=sealed, clock=clock) for one in sections]
    yield from ((place.section, finding) for place, finding in examined(places))


@contextmanager
def kept(directory: Path, tokens: Mapping[str, Secret]) -> Iterator[None]:
    """Keep these sign-ins in the state directory, as its owner; as it was, where what follows inside fails.

    Raises:
        StateUnusable: they cannot be kept.
    """
    with ExitStack() as undo:
        if tokens:
            try:
                make_directory(directory)
                with as_owner(directory):
                    _keep(Sealed(directory), tokens, undo, directory)
            except OSError as error:
                raise StateUnusable(f"{directory}: {error.strerror}; nothing was changed") from error
        yield
        undo.pop_all()


def _keep(sealed: Sealed, tokens: Mapping[str, Secret], undo: ExitStack, directory: Path) -> None:
    for name, token in tokens.items():
        try:
            before = sealed.read(name)
        except SealBroken:
            before = None

        def put_back(name: str = name, before: Secret | None = before) -> None:
            with as_owner(directory):
                if before is None:
                    sealed.forget(name)
                else:
                    sealed.write(name, before)

        undo.callback(put_back)
        sealed.write(name, token)
