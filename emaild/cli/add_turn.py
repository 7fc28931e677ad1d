"""`emaild add ADDRESS --oauth` of a mailbox that is there: its sign-in changes, and nothing else of it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from emaild.cli.add_choice import Chosen, application_of, client_secret
from emaild.cli.add_draft import Draft
from emaild.cli.asking import Asking
from emaild.errors import Conflict, InputError
from emaild.jobs.examine import Section
from emaild.provision.account import SECRET, Account, Application, Place, Secrets, free, token_options
from emaild.provision.discover.exchangers import registered
from emaild.provision.discover.found import Found
from emaild.provision.section_text import line_in, line_of, with_options
from emaild.settings.crosscheck import secrets_of
from emaild.settings.files import folder_of
from emaild.settings.load import Settings
from emaild.settings.mailbox import MailboxSection
from emaild.settings.way_out import WayOutSection


def turning(
    settings: Settings, arguments: argparse.Namespace, box: MailboxSection, found: Found | None, asking: Asking
) -> Draft:
    """The files of the mailbox and its way out, with a token in the place of the password.

    Type, server, name, folder and all else stay, so it is the same mailbox to the store: no mail is read twice.

    Raises:
        Conflict: a section does not lie in one file of conf.d, where it could be changed.
    """
    changed: list[Section] = [box, *_ways_of(settings, box)]
    homes = {section.name: home_of(settings, arguments.conf, section.name) for section in changed}
    server = next((one.oauth for one in (found.incoming if found else ()) if one.gives_tokens), None)
    place = Place(type=box.type.value, server=box.server, user=box.mailbox, by_token=True)
    application = application_of(arguments, Chosen(place, server), asking)
    secrets = {section.lower().removeprefix(f"{SECRET}-") for section in settings.secrets}
    name = free(box.name.partition("-client")[2].strip("-") or "mailbox", secrets if application.secret else ())
    account = Account(address=arguments.address, name=name, reading=place, sending=None, application=application)
    before = {file.name: _read(file) for file in homes.values()}

    def texts(words: Secrets) -> Mapping[str, bytes]:
        made = dict(before)
        for section in changed:
            file = homes[section.name].name
            made[file] = with_options(made[file], section.name, _options(section, application, name))
        if application.secret:
            lines = f"\n[{SECRET}-{name}]\n{line_of('password', words(account.secret_file))}\n"
            made[homes[box.name].name] += lines.encode()
        return made

    secret = "" if arguments.dry_run or not application.secret else client_secret(arguments, asking)
    return Draft(
        conf=arguments.conf,
        texts=texts,
        secrets={account.secret_file: secret} if application.secret else {},
        sections=tuple(section.name for section in changed),
        before=before,
        gone=unneeded(settings, [section.name for section in changed], homes[box.name].parent),
    )


def home_of(settings: Settings, conf: Path, section: str) -> Path:
    """The one file of conf.d that a section stands in.

    Raises:
        Conflict: it stands in another, or in several; the words say where.
    """
    homes = {path: line for path in settings.files if (line := line_in(_read(path), section))}
    folder = folder_of(conf)
    if len(homes) == 1 and (home := next(iter(homes))).parent == folder:
        return home
    where = " and ".join(f"{path}:{line}" for path, line in [*homes.items()][:4])
    why = f"not in {folder}" if len(homes) == 1 else "in several files"
    raise Conflict(f"[{section}] stands in {where}, {why}; change it there by hand, the daemon notices")


def unneeded(settings: Settings, sections: list[str], folder: Path) -> tuple[str, ...]:
    """The secrets' files in conf.d that these sections name and no other section does."""
    named: dict[bool, set[Path]] = {True: set(), False: set()}
    for name, section in settings.sections().items():
        named[name in sections] |= {secret.file for _, secret in secrets_of(section) if secret.file}
    own = (path for path in named[True] - named[False] if path.parent == folder.absolute())
    return tuple(sorted(path.name for path in own if not path.name.endswith(".conf")))


def _ways_of(settings: Settings, box: MailboxSection) -> list[WayOutSection]:
    """The ways out that the same user signs in to with a password, at the same provider's."""
    return [
        way
        for way in settings.ways_out.values()
        if way.user.lower() == box.mailbox.lower()
        and way.enable_authentication
        and not way.uses_tokens
        and _are_of_one(way.server, box.server)
    ]


def _are_of_one(server: str, other: str) -> bool:
    """Whether two servers are somebody's, who may see the same token: by the part of their names that is registered."""
    first, second = _host(server), _host(other)
    return first == second or registered(first) == registered(second) != ""


def _host(server: str) -> str:
    host = (urlsplit(server).hostname or "") if "://" in server else server
    return host.lower().rstrip(".")


def _options(section: Section, application: Application, name: str) -> dict[str, str | None]:
    return {**token_options(application, name, section.protocol_name), "password": None}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
