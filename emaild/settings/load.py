"""Conf files -> one snapshot of settings, or every mistake in them at once.

A snapshot holds only values, defaults filled in: two that are equal mean that nothing changed.
"""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from emaild.errors import ConfigError
from emaild.settings.daemon import EmaildSection, LogSection, ProcessingSection, StoreSection, Unknown
from emaild.settings.ini import Fault, Place, RawOption, RawSection, read
from emaild.settings.mailbox import MailboxSection
from emaild.settings.option import Option, options, same_name, section_kind
from emaild.settings.secret import CredentialMissing, Secret
from emaild.settings.way_out import WayOutSection, way_out_for

SECTIONS: tuple[type[Any], ...] = (
    EmaildSection,
    MailboxSection,
    WayOutSection,
    ProcessingSection,
    StoreSection,
    LogSection,
)

S = TypeVar("S")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that the conf files say. `origins` tells where an option was given; what is not in it is default."""

    emaild: EmaildSection
    mailboxes: Mapping[str, MailboxSection]
    ways_out: Mapping[str, WayOutSection]
    processing: ProcessingSection
    store: StoreSection
    log: LogSection
    origins: Mapping[tuple[str, str], Place] = field(compare=False)
    files: tuple[Path, ...] = field(compare=False)
    digest: str = field(compare=False)
    warnings: tuple[Fault, ...] = field(compare=False)

    def sections(self) -> dict[str, Any]:
        """All sections by name, as `emaild show` lists them."""
        return {
            "emaild": self.emaild,
            **self.mailboxes,
            **self.ways_out,
            "email-processing": self.processing,
            "store": self.store,
            "log": self.log,
        }

    def way_out_for(self, sender: str) -> WayOutSection | None:
        """The way that a mail from this address takes, None where there is no way out at all."""
        ways = tuple(self.ways_out.values())
        return way_out_for(sender, ways) if ways else None


def conf_files(conf: Path) -> tuple[Path, ...]:
    """The files that a `--conf` names: the file, or emaild.conf in the folder; then conf.d/*.conf beside it by name."""
    main = conf / "emaild.conf" if os.path.isdir(conf) else conf
    folder = main.parent / "conf.d"
    try:
        names = sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        names = []
    except OSError:
        return (main, folder)  # reading it will tell what is wrong
    # Hidden files are the locks and drafts of editors.
    return (main, *(folder / name for name in names if name.endswith(".conf") and not name.startswith(".")))


def load(conf: Path, *, outside_unit: bool = False) -> Settings:
    """Read and check everything.

    With *outside_unit* a systemd credential that is not to be found is a warning, its secret empty: only the unit
    sees all of them.

    Raises:
        ConfigError: with a line for every mistake found, in the order of files and lines.
    """
    files = conf_files(conf)
    contents, faults = _read_files(files)
    raw, more = read(contents)
    faults += more
    reader = _Reader(raw, outside_unit=outside_unit)
    faults += reader.faults
    if faults:
        raise ConfigError(tuple(str(fault) for fault in _in_order(faults, files)))
    reader.warn_of_shared_accounts()
    return Settings(
        emaild=reader.single(EmaildSection),
        mailboxes=MappingProxyType(reader.family(MailboxSection)),
        ways_out=MappingProxyType(reader.family(WayOutSection)),
        processing=reader.single(ProcessingSection),
        store=reader.single(StoreSection),
        log=reader.single(LogSection),
        origins=MappingProxyType(reader.origins),
        files=files,
        digest=digest(contents),
        warnings=tuple(_in_order(reader.warnings, files)),
    )


def digest(contents: list[tuple[Path, bytes]]) -> str:
    """One value that changes when a file, or the list of files, changes."""
    total = hashlib.sha256()
    for path, content in contents:
        total.update(f"{path}\0{len(content)}\0".encode())
        total.update(content)
    return total.hexdigest()


def current_digest(conf: Path) -> str:
    """The digest of what lies there now; that a file cannot be read is part of it."""
    contents, faults = _read_files(conf_files(conf))
    return digest(contents) + "".join(f" {fault}" for fault in faults)


def _read_files(files: tuple[Path, ...]) -> tuple[list[tuple[Path, bytes]], list[Fault]]:
    contents, faults = [], []
    for path in files:
        try:
            contents.append((path, path.read_bytes()))
        except OSError as error:
            faults.append(Fault(Place(path, 1), "", "", f"cannot read the file: {error.strerror}"))
    return contents, faults


def _in_order(faults: list[Fault], files: tuple[Path, ...]) -> list[Fault]:
    return sorted(faults, key=lambda fault: (files.index(fault.place.file), fault.place.line))


class _Reader:
    """Raw sections -> section values, with faults, warnings and origins gathered on the way."""

    def __init__(self, raw: Mapping[str, RawSection], *, outside_unit: bool) -> None:
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []
        self.origins: dict[tuple[str, str], Place] = {}
        self._outside_unit = outside_unit
        self._values: dict[type[Any], dict[str, Any]] = {kind: {} for kind in SECTIONS}
        self._lenient = self._unknown_is_warning(raw)
        for section in raw.values():
            self._section(section)

    def single(self, kind: type[S]) -> S:
        """The one section of this kind, all defaults where it does not stand in the files."""
        values: dict[str, S] = self._values[kind]
        return next(iter(values.values())) if values else kind()

    def family(self, kind: type[S]) -> dict[str, S]:
        """All sections of this kind by their names."""
        return self._values[kind]

    def warn_of_shared_accounts(self) -> None:
        """Two sections that read one mailbox share its mails between them, which is seldom what was meant."""
        first: dict[str, str] = {}
        for name, box in self.family(MailboxSection).items():
            other = first.setdefault(box.account, name)
            if other != name:
                wrong = f"it reads the same mailbox as [{other}]; each mail becomes an interaction of one of the two"
                self.warnings.append(Fault(self.origins[name, "mailbox"], name, "mailbox", wrong))

    @staticmethod
    def _unknown_is_warning(raw: Mapping[str, RawSection]) -> bool:
        given = raw["emaild"].options.get("unknown-options") if "emaild" in raw else None
        return given is not None and given.text.strip().lower() == Unknown.WARN

    def _section(self, raw: RawSection) -> None:
        kind = next((kind for kind in SECTIONS if section_kind(kind).matches(raw.name)), None)
        if kind is None:
            known = [section_kind(kind).name for kind in SECTIONS]
            self._unknown(Fault(raw.place, raw.name, "", "unknown section" + _suggestion(raw.name, known)))
            return
        declared = {same_name(option.name): option for option in options(kind)}
        values: dict[str, Any] = {}
        name = raw.name if section_kind(kind).family else section_kind(kind).name
        for spelling, given in raw.options.items():
            option = declared.get(spelling)
            if option is None:
                names = [option.name for option in declared.values()]
                wrong = "unknown option" + _suggestion(given.name, names)
                self._unknown(Fault(given.place, raw.name, given.name, wrong))
            else:
                self.origins[name, option.name] = given.place
                self._option(raw, option, given, values)
        self._finish(kind, raw, declared, values)

    def _unknown(self, fault: Fault) -> None:
        (self.warnings if self._lenient else self.faults).append(fault)

    def _option(self, raw: RawSection, option: Option, given: RawOption, values: dict[str, Any]) -> None:
        if option.required and not given.text.strip():
            self.faults.append(
                Fault(given.place, raw.name, option.name, f"it is empty; expected {option.parser.expects}")
            )
            return
        try:
            values[option.field] = option.parser.read(given.text)
        except CredentialMissing as error:
            found = self.warnings if self._outside_unit else self.faults
            found.append(Fault(given.place, raw.name, option.name, str(error)))
            values[option.field] = Secret("")
        except ValueError as error:
            message = _value_fault(option, given.text, str(error))
            self.faults.append(Fault(given.place, raw.name, option.name, message))

    def _finish(self, kind: type[Any], raw: RawSection, declared: Mapping[str, Option], values: dict[str, Any]) -> None:
        missing = [option for spelling, option in declared.items() if option.required and spelling not in raw.options]
        for option in missing:
            message = f"it is missing; expected {option.parser.expects}"
            self.faults.append(Fault(raw.place, raw.name, option.name, message))
        if missing or len(values) < len(declared.keys() & raw.options.keys()):
            return  # what is read of it says too little about how it fits together
        named = {"name": raw.name} if "name" in {field.name for field in fields(kind)} else {}
        section = kind(**named, **values)
        for option_name, message in section.check() if hasattr(section, "check") else ():
            given = raw.options.get(same_name(option_name))
            self.faults.append(Fault(given.place if given else raw.place, raw.name, option_name, message))
        self._values[kind][raw.name] = section


def _value_fault(option: Option, text: str, reason: str) -> str:
    """One line for a value that its parser refused; a secret is not repeated in it."""
    if option.parser.secret:
        return reason or f"expected {option.parser.expects}"
    shown = repr(text if len(text) <= 60 else text[:57] + "...")
    known = (reason.startswith(("it ", "'", "no ", "the ")) and f" ({reason})") or ""
    return f"expected {option.parser.expects}, found {shown}{known}"


def _suggestion(name: str, known: list[str]) -> str:
    """`; did you mean X?` where a known name is near."""
    near = difflib.get_close_matches(same_name(name), known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
