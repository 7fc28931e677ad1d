"""Exports as tests write them, and what is made of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from emaild.errors import InputError
from emaild.settings.exports.conversion import Conversion, convert
from emaild.settings.exports.forms import read_export

EXPORT = Path("export")
ACCOUNT = {"server": "pop.example.com", "mailbox": "ann", "password": "geheim"}


def imported(content: bytes | str) -> Conversion:
    return convert(*read_export(EXPORT, content.encode() if isinstance(content, str) else content), "export")


def texts(content: bytes | str) -> dict[str, dict[str, str]]:
    """What an export holds, by section and option."""
    found, _ = read_export(EXPORT, content.encode() if isinstance(content, str) else content)
    return {
        section.name: {option.name: option.text for option in section.options.values()} for section in found.values()
    }


def told(content: bytes | str) -> list[str]:
    return [str(fault) for fault in imported(content).told]


def refusal(content: bytes | str) -> str:
    with pytest.raises(InputError) as refused:
        imported(content)
    return str(refused.value)


def box(**given: str) -> str:
    """An INI export of one mailbox; an underscore in a name stands for a hyphen."""
    lines = [f"{name.replace('_', '-')} = {value}" for name, value in (ACCOUNT | given).items()]
    return "\n".join(["[pop-client]", *lines]) + "\n"


def xml(pairs: str) -> str:
    return f'<CfgApplication><list_pair key="options">{pairs}</list_pair></CfgApplication>'
