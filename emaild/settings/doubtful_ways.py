"""Ways out that work otherwise than their sections read, of which an operator is warned."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from pathlib import Path

from emaild.settings.option import options
from emaild.settings.server import ServerOptions
from emaild.settings.way_out import ServerType, WayOutSection

FOR_FILES_TOO = frozenset({"enable_client", "server"})
FOR_SERVERS = frozenset(
    {
        "security_given",
        "enable_authentication",
        "user",
        "password",
        "cnx_pool_size",
        "cnx_check_idle_time",
        "cnx_max_idle_time",
        "pipelining",
        "allow_delegate",
        "save_sent_copy",
        "token_expiry_margin_time",
    }
)
NO_FOLDERS = frozenset(one.field for one in options(ServerOptions)) - FOR_FILES_TOO | FOR_SERVERS
"""The fields that say nothing of a folder."""

Doubt = tuple[str, str, str]
"""Section, option, and what is doubtful about it."""


def doubtful_ways(ways: Iterable[WayOutSection], given: Container[tuple[str, str]]) -> Iterator[Doubt]:
    """What is doubtful in those that do not rest; *given* are section and name of the options that conf files set."""
    for way in ways:
        if way.enable_client:
            doubts = _of_files(way, given) if way.server_type is ServerType.EML else _of_servers(way, given)
            yield from ((way.name, option, wrong) for option, wrong in doubts)


def _of_files(way: WayOutSection, given: Container[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    folder = way.eml_directory or Path()
    try:
        if not folder.is_dir():
            yield "eml-directory", f"there is no folder {folder}; mails wait until there is"
    except OSError:
        pass  # whoever asks may not look, and the daemon may
    for one in options(WayOutSection):
        if one.field in NO_FOLDERS and (way.name, one.name) in given:
            yield one.name, "it has no effect where server-type is eml: a folder is no server"


def _of_servers(way: WayOutSection, given: Container[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    if (way.name, "eml-directory") in given:
        yield "eml-directory", f"it has no effect where server-type is {way.server_type}; expected eml"
    if way.server_type is not ServerType.SMTP and way.message_limit:
        wrong = "Graph and Exchange limit by themselves how much they take, and say how long to wait; 0 would be right"
        yield "per-minute-limit", wrong
