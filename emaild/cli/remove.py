"""`emaild remove`: a mailbox or a way out taken out of conf.d, with all that was set up for it alone."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from emaild.cli.asking import Asking
from emaild.cli.doctor import quiet
from emaild.cli.output import json_line, plain
from emaild.cli.owner import as_owner
from emaild.cli.registry import Add
from emaild.cli.remove_faulty import faulty
from emaild.cli.remove_plan import Plan, plan_of, plan_of_faulty
from emaild.cli.state import become_owner, opened, settings_to_change
from emaild.cli.taken_up import dropped_there
from emaild.errors import ConfigError, Conflict, StateUnusable, UsageError
from emaild.net.oauth import Sealed
from emaild.provision.conf_files import Content, changing
from emaild.provision.section_text import without
from emaild.services import rule_checks
from emaild.settings.load import Settings
from emaild.store.engine import FILE


def register(add: Add) -> None:
    """The command of this module."""
    made = add("remove", _remove, "take a mailbox or a way out, and what was set up for it alone, out of conf.d")
    made.add_argument("section", metavar="SECTION", help="a [pop-client...] or [smtp-client...] section")
    made.add_argument("--with-mail", action="store_true", help="remove the mails that are stored of it, too")
    made.add_argument("--anyway", action="store_true", help="even where mails wait to go out by it")
    made.add_argument("--yes", action="store_true", help="ask for no consent")
    made.add_argument("--json", action="store_true", help="one object that says what was done")


def _remove(arguments: argparse.Namespace) -> int:
    settings, plan = _read(arguments)
    if plan is None:
        return _mails_only(settings, arguments)
    directory = settings.emaild.state_directory
    if arguments.with_mail and not plan.boxes:
        raise UsageError("--with-mail is for a mailbox; a way out keeps its history")
    with_store = (directory / FILE).exists()
    mails = _looked_at(settings, plan, arguments) if with_store else 0
    if not arguments.yes:
        _consent(plan.sections, mails if arguments.with_mail else 0)
    with changing(arguments.conf, rule_checks.faults) as files:
        text = files.read(plan.home.name)
        if text is None:
            raise Conflict(f"{plan.home} is gone; nothing was changed")
        left = without(text, plan.sections)
        files.write({plan.home.name: Content(left) if left is not None else None, **dict.fromkeys(plan.secrets)})
    _forget(directory, plan.sign_ins)
    become_owner(directory)
    state, words = dropped_there(settings, plan.boxes, plan.ways)
    gone = 0
    if arguments.with_mail and with_store:
        gone = _mails_removed(settings, plan.boxes[0], state, words)
    _tell(plan, arguments, state, words, removed=gone, kept=mails - gone)
    return os.EX_OK


def _read(arguments: argparse.Namespace) -> tuple[Settings, Plan | None]:
    """The settings, without the section where it is wrong itself, and what goes; None: nothing but its mails is left.

    Raises:
        ConfigError: something else is wrong.
    """
    try:
        settings = settings_to_change(arguments.conf)
    except ConfigError:
        found = faulty(arguments.conf, arguments.section)
        if found is None:
            raise
        quiet(found.settings, [])
        return found.settings, plan_of_faulty(found)
    quiet(settings, [])
    gone = arguments.with_mail and _is_gone(settings, arguments.section)
    return settings, None if gone else plan_of(settings, arguments.conf, arguments.section)


def _is_gone(settings: Settings, name: str) -> bool:
    """Whether no section is called that, and its mails are left: the command was cut off, or a person was first."""
    gone = name.lower() not in (section.name.lower() for section in settings.servers())
    directory = settings.emaild.state_directory
    if not gone or not (directory / FILE).exists():
        return False
    with as_owner(directory), opened(settings, must_exist=True) as store:
        return store.removal.count(name) > 0


def _mails_only(settings: Settings, arguments: argparse.Namespace) -> int:
    become_owner(settings.emaild.state_directory)
    name = arguments.section
    with opened(settings, must_exist=True) as store:
        mails = store.removal.count(name)
    if not arguments.yes:
        _consent([name], mails)
    state, words = dropped_there(settings, [name], ())
    gone = _mails_removed(settings, name, state, words)
    if arguments.json:
        json_line({"removed": [], "mails_removed": gone, "mails_kept": 0, "daemon": state, "message": words})
    else:
        print(plain(f"there is no section [{name}] any more; {gone} of its mails removed from the store\n{words}"))
    return os.EX_OK


def _mails_removed(settings: Settings, box: str, state: str, words: str) -> int:
    """How many mails of a mailbox went out of the store.

    Raises:
        StateUnusable: by *state* and *words* of `dropped_there` a daemon may read it still, so that more would come.
    """
    if state == "unknown":
        raise StateUnusable(f"{words}; so its mails are not removed. The same command does it once it is gone there")
    with opened(settings, must_exist=True) as store:
        return store.removal.mails(box)


def _looked_at(settings: Settings, plan: Plan, arguments: argparse.Namespace) -> int:
    """How many mails are stored of the mailbox.

    Raises:
        Conflict: mails wait to go out by what is to be removed.
    """
    with as_owner(settings.emaild.state_directory), opened(settings, must_exist=True) as store:
        waiting = sum(one.count for one in store.figures.outbox() if one.way_out in plan.ways)
        if waiting and not arguments.anyway:
            way = plan.ways[0]
            raise Conflict(
                f"{waiting} {'mail waits' if waiting == 1 else 'mails wait'} to go out by [{way}], which 'emaild outbox"
                f" --way-out {way}' shows; nothing was changed. --anyway removes it, and they wait until it is back"
            )
        return sum(store.removal.count(box) for box in plan.boxes)


def _consent(names: Sequence[str], mails: int) -> None:
    what = " and ".join(f"[{name}]" for name in names) + (f" and its {mails} mails for good" if mails else "")
    asking = Asking()
    if not asking.anybody:
        raise UsageError(f"--yes is needed to remove {what}, for nobody is here to be asked")
    if not asking.yes(f"Remove {what}?"):
        raise UsageError("nothing was removed")


def _forget(directory: Path, names: tuple[str, ...]) -> None:
    if not names or not directory.exists():
        return
    try:
        with as_owner(directory):
            for name in names:
                Sealed(directory).forget(name)
    except OSError as error:
        raise StateUnusable(f"{directory}: {error.strerror}; the section is removed, its sign-in is kept") from error


def _tell(plan: Plan, arguments: argparse.Namespace, state: str, words: str, *, removed: int, kept: int) -> None:
    said: Mapping[str, object] = {
        "removed": plan.sections,
        "file": str(plan.home),
        "stays": plan.stays or None,
        "mails_removed": removed,
        "mails_kept": kept,
        "daemon": state,
        "message": words,
    }
    if arguments.json:
        json_line(said)
        return
    lines = [f"{' and '.join(f'[{name}]' for name in plan.sections)} removed from {plan.home}"]
    lines += [plan.stays] if plan.stays else []
    lines += [f"{removed} of its mails removed from the store"] if removed else []
    lines += [f"{kept} of its mails stay in the store; --with-mail removes such"] if kept else []
    print("\n".join(map(plain, [*lines, words])))
