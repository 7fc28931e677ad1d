"""The manual page emaild.conf(5), in the macros of man(7)."""

from __future__ import annotations

import re

from emaild import __version__
from emaild.settings.describe.contents import Contents, entries, heading
from emaild.settings.describe.words import PROPERTIES_HELP, of_entry, sentences
from emaild.settings.option import options, section_kind

_HEAD = """\
.SH NAME
emaild.conf \\- the conf files of emaild
.SH SYNOPSIS
.I /etc/emaild/emaild.conf
.br
.I /etc/emaild/conf.d/*.conf
.SH DESCRIPTION
Conf files are UTF\\-8 text of sections and options:
.PP
.RS
.nf
[section]
option = value
.fi
.RE
.PP
A line that starts with # or ; is a comment, and nothing else is.
A section that stands twice is merged; an option that stands twice is an error.
Names match without regard to case, and with \\- and _ alike.
A secret stands in the file, or is named: file:PATH, env:NAME, credential:NAME (systemd)."""

_FOOT = """\
.SH SEE ALSO
.BR systemd.exec (5),
.B emaild check
(what is wrong in conf files),
.B emaild show
(what is in effect)"""


def as_man(contents: Contents) -> str:
    """The page; `man -l` shows it."""
    lines = [f'.TH EMAILD.CONF 5 "" "emaild {_escaped(__version__)}" "File Formats"', _HEAD]
    for kind in contents.kinds:
        declared = section_kind(kind)
        lines += [f'.SH "{_escaped(heading(kind))}"', _escaped(declared.help)]
        for option in options(kind):
            lines += _item(option.name, sentences(option))
        if declared.entries:
            lines += _item(declared.entries, "One line each.")
    if contents.properties:
        lines += [".SH PROPERTIES OF JAVAMAIL", _escaped(PROPERTIES_HELP)]
    for entry in entries(contents.properties):
        lines += _item(", ".join(entry.names), of_entry(entry))
    return "\n".join([*lines, _FOOT]) + "\n"


def _item(name: str, text: str) -> list[str]:
    return [".TP", f".B {_escaped(name)}", _escaped(text)]


def _escaped(text: str) -> str:
    """Text in which nothing is taken for a request (groff_char(7)): also ASCII, and hyphens that can be copied."""
    plain = text.replace("\\", r"\(rs").replace("-", r"\-").replace('"', r"\(dq").replace("'", r"\(aq")
    plain = re.sub(r"[^\x00-\x7f]", lambda found: rf"\[u{ord(found[0]):04X}]", plain)
    return rf"\&{plain}" if plain.startswith(".") else plain
