"""What goes with a mailbox or a way out that is taken out of conf.d: all that was set up for it alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from emaild.cli.add_turn import home_of, unneeded
from emaild.cli.remove_faulty import Faulty
from emaild.errors import UsageError
from emaild.jobs.examine import Section
from emaild.net.oauth.grant import Way, grant_of
from emaild.provision.account import BOX, SECRET, WAY
from emaild.provision.section_text import sections_in
from emaild.settings.load import Settings
from emaild.settings.mailbox import MailboxSection
from emaild.settings.way_out import WayOutSection


@dataclass(frozen=True, kw_only=True)
class Plan:
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


def plan_of_faulty(found: Faulty) -> Plan:
    """What goes with a section that is wrong itself: it alone."""
    is_box = found.name.lower().startswith(BOX)
    return Plan(
        home=found.home,
        boxes=(found.name,) if is_box else (),
        ways=() if is_box else (found.name,),
        others=(),
        secrets=(),
        sign_ins=(),
        stays=f"[{found.name}] was wrong, so what else was set up for it stays",
    )


def plan_of(settings: Settings, conf: Path, name: str) -> Plan:
    """What goes with the section of that name.

    Raises:
        UsageError: there is no such mailbox or way out.
    """
    there = {section.name.lower(): section for section in settings.servers()}
    section = there.get(name.lower())
    if section is None:
        known = ", ".join(one.name for one in there.values()) or "none"
        raise UsageError(f"there is no mailbox or way out called {name}; there are: {known}")
    home = home_of(settings, conf, section.name)
    beside = sections_in(home.read_bytes())
    way, stays = _own_way(settings, section, beside)
    boxes = (section.name,) if isinstance(section, MailboxSection) else ()
    ways = () if way is None else (way.name,)
    going: list[Section] = [section, *([way] if way is not None and way is not section else [])]
    names = {one.name for one in going}
    staying = [one for one in settings.servers() if one.name not in names]
    others = _own_secrets(settings, going, staying, beside) + _own_account(settings, section, beside)
    return Plan(
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
