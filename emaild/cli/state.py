"""What commands share: reading the settings, and opening the store as the user whom it belongs to."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from emaild.cli.owner import take_groups
from emaild.errors import ConfigError, StateUnusable
from emaild.log.libraries import take_over_libraries
from emaild.log.setup import set_up
from emaild.settings.load import Settings, load
from emaild.settings.log import Verbosity
from emaild.store import Store, open_store
from emaild.store.engine import FILE
from emaild.store.lock import daemon_runs


def settings_of(conf: Path) -> Settings:
    """The settings, for a command that is not the daemon: systemd's credentials may be out of its sight."""
    settings = load(conf, outside_unit=True)
    set_up(settings.log, sys.stderr)
    take_over_libraries()
    return settings


def settings_to_change(conf: Path) -> Settings:
    """The same, for a command that changes conf files; that it does not, where they are wrong, stands below the lines.

    Raises:
        ConfigError: as `load`.
    """
    try:
        return settings_of(conf)
    except ConfigError as error:
        raise ConfigError(
            (*error.lines, "emaild: these lines were there before: put them right first; nothing was changed")
        ) from error


def words_only(settings: Settings) -> None:
    """For a command that tells in words what it did: no event tells it as well."""
    set_up(replace(settings.log, verbose=Verbosity.NONE), sys.stderr)


def no_daemon(settings: Settings) -> str:
    """What a person is to know where no daemon runs; empty where one does."""
    directory = settings.emaild.state_directory
    return "" if daemon_runs(directory) else f"no daemon runs on {directory}: nothing moves until emaild is started"


def warn_of_no_daemon(settings: Settings) -> None:
    """Say that on standard error."""
    if said := no_daemon(settings):
        print(f"emaild: {said}", file=sys.stderr)


@contextmanager
def opened(settings: Settings, *, must_exist: bool) -> Iterator[Store]:
    """The store, opened as its owner.

    Raises:
        StateUnusable: it cannot be used; or it is not there and *must_exist*.
    """
    directory = settings.emaild.state_directory
    become_owner(directory)
    if must_exist:
        check_store(directory)
    store = open_store(directory)
    try:
        yield store
    finally:
        store.close()


def check_store(directory: Path) -> None:
    """Raises StateUnusable where there is no store that we may read."""
    try:
        (directory / FILE).stat()
    except FileNotFoundError:
        raise StateUnusable(f"{directory}: there is no store yet; 'emaild run' or 'emaild send' makes it") from None
    except OSError as error:
        raise StateUnusable(f"{directory}: {error.strerror}; run this as the user that emaild runs as") from error


def become_owner(directory: Path) -> None:
    """As root, go on as the owner of the state directory, so that no file in it ever belongs to root."""
    if os.geteuid() != 0 or not directory.exists():
        return
    status = directory.stat()
    if status.st_uid == 0:
        return
    take_groups(status)
    os.setgid(status.st_gid)
    os.setuid(status.st_uid)
