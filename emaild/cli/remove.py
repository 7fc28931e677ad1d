"""`emaild remove`: a mailbox or a way out taken out of conf.d, with all that was set up for it alone."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emaild.cli.add_turn import home_of, unneeded
from emaild.cli.asking import Asking
from emaild.cli.doctor import quiet
from emaild.cli.output import json_line, plain
from emaild.cli.owner import as_owner
from emaild.cli.registry import Add
from emaild.cli.remove_faulty import Faulty, faulty
from emaild.cli.state import become_owner, opened, settings_to_change
from emaild.cli.taken_up import dropped_there
from emaild.errors import ConfigError, Conflict, StateUnusable, UsageError
from emaild.jobs.examine import Section
from emaild.net.oauth import Sealed
from emaild.net.oauth.grant import Way, grant_of
from emaild.provision.account import BOX, SECRET, WAY
from emaild.provision.conf_files import Content, changing
from emaild.provision.section_text import sections_in, without
from emaild.services import rule_checks
from emaild.settings.load import Settings
from emaild.settings.mailbox import MailboxSection
from emaild.settings.way_out import WayOutSection
from emaild.store.engine import FILE


def register(add: Add) -> None:
    """The command of this module."""
    made = add("remove", _remove, "take a mailbox or a way out, and what was set up for it alone, out of conf.d")
    made.add_argument("section", metavar="SECTION", help="a [pop-client...] or [smtp-client...] section")
    made.add_argument("--with-mail", action="store_true", help="remove the mails that are stored of it, too")
    made.add_argument("--anyway", action="store_true", help="even where mails wait to go out by it")
    made.add_argument("--yes", action="store_true", help="ask for no consent")
    made.add_argument("--json", action="store_true", help="one object that says what was done")


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What goes: sections, the secrets' files of them alone, and the sign-ins. `stays` is what somebody still uses."""

    home: Path
    boxes: tuple[str, ...]
    ways: tuple[str, ...]
    others: tuple[str, ...]
    secrets: tuple[str, ...]
    sign_ins: tuple[str, ...]
    stays: str

    @property
    def sections(self) -> tuple[str, ...]:
        """All sections that go."""
        return (*self.boxes, *self.ways, *self.others)


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


def _read(arguments: argparse.Namespace) -> tuple[Settings, _Plan | None]:
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
        return found.settings, _plan_of_faulty(found)
    quiet(settings, [])
    gone = arguments.with_mail and _is_gone(settings, arguments.section)
    return settings, None if gone else _plan(settings, arguments)


def _plan_of_faulty(found: Faulty) -> _Plan:
    is_box = found.name.lower().startswith(BOX)
    return _Plan(
        home=found.home,
        boxes=(found.name,) if is_box else (),
        ways=() if is_box else (found.name,),
        others=(),
        secrets=(),
        sign_ins=(),
        stays=f"[{found.name}] was wrong, so what else was set up for it stays",
    )


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


def _plan(settings: Settings, arguments: argparse.Namespace) -> _Plan:
    there = {section.name.lower(): section for section in settings.servers()}
    section = there.get(arguments.section.lower())
    if section is None:
        known = ", ".join(one.name for one in there.values()) or "none"
        raise UsageError(f"there is no mailbox or way out called {arguments.section}; there are: {known}")
    home = home_of(settings, arguments.conf, section.name)
    beside = sections_in(home.read_bytes())
    way, stays = _own_way(settings, section, beside)
    boxes = (section.name,) if isinstance(section, MailboxSection) else ()
    ways = () if way is None else (way.name,)
    going: list[Section] = [section, *([way] if way is not None and way is not section else [])]
    names = {one.name for one in going}
    staying = [one for one in settings.servers() if one.name not in names]
    others = _own_secrets(settings, going, staying, beside) + _own_account(settings, section, beside)
    return _Plan(
        home=home,
        boxes=boxes,
        ways=ways,
        others=others,
        secrets=unneeded(settings, [*names, *others], home.parent),
        sign_ins=tuple(sorted(_sign_ins(going) - _sign_ins(staying))),
        stays=stays,
    )


def _own_way(settings: Settings, section: Section, beside: tuple[str, ...]) -> tuple[WayOutSection | None, str]:
    """The way out that goes, and why the one that was set up together stays."""
    if isinstance(section, WayOutSection):
        return section, ""
    wanted = section.name.lower().replace(BOX, WAY, 1)
    way = next((way for name, way in settings.ways_out.items() if name.lower() == wanted), None)
    if way is None or wanted not in beside:
        return None, ""
    users = [f"[{other.name}] fallback" for other in settings.ways_out.values() if other.fallback.lower() == wanted]
    usual = settings.processing
    named = {"interactive-way-out": usual.interactive_way_out, "batch-way-out": usual.batch_way_out}
    users += [f"[email-processing] {option}" for option, name in named.items() if name.lower() == wanted]
    address = (section.address or section.mailbox).lower()
    users += [f"senders {sender}" for sender in way.senders if sender.lower() != address]
    users += ["queues"] if way.queues else []
    users += ["callers"] if way.callers else []
    if users:
        return None, f"[{way.name}] stays, for it is in use: {', '.join(users)}"
    return way, ""


def _own_secrets(
    settings: Settings, going: list[Section], staying: list[Section], beside: tuple[str, ...]
) -> tuple[str, ...]:
    """The [secret-NAME] sections in the same file that nobody else names."""
    named = {f"{SECRET}-{one.secret}".lower() for one in going if one.secret}
    named -= {f"{SECRET}-{one.secret}".lower() for one in staying if one.secret}
    return tuple(name for name in settings.secrets if name.lower() in named and name.lower() in beside)


def _own_account(settings: Settings, section: Section, beside: tuple[str, ...]) -> tuple[str, ...]:
    """The [email2-GUID] of the document that the mailbox came from, in the same file; it may hold a password."""
    wanted = section.name.lower().removeprefix(f"{BOX}-")
    return tuple(name for name in settings.email2 if name.lower() == wanted and wanted in beside)


def _sign_ins(sections: list[Section]) -> set[str]:
    grants = (grant_of(section) for section in sections)
    return {grant.sealed_name for grant in grants if grant is not None and grant.way is Way.SIGNED_IN}


def _looked_at(settings: Settings, plan: _Plan, arguments: argparse.Namespace) -> int:
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


def _tell(plan: _Plan, arguments: argparse.Namespace, state: str, words: str, *, removed: int, kept: int) -> None:
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
