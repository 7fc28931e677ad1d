"""Failures of ways out for which the machine itself must be another: `python -m tests.adapters.apart FOLDER`.

To be run as root in a network and a file system of its own, which it makes unusable piece by piece. Prints, as JSON by
the sample that is brought about, cause, words and action.
"""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path

from emaild.errors import RemoteError
from emaild.jobs.trial import trial
from emaild.net.oauth import Sealed
from emaild.settings.way_out import ServerType, WayOutSection
from emaild.sinks.eml import Eml
from tests.adapters.causes import Heard, heard, of_error
from tests.adapters.ways import Sinks, Way
from tests.clock import ManualClock
from tests.servers.scripted import Scripted, silent

NOBODY = 65534
ELSEWHERE = "198.51.100.7"  # an address of this machine that is not its loopback's
NOT_THERE, SERVER_FAILURE = 3, 2  # RCODEs of RFC 1035 §4.1.1
NAMES = {b"nodata": 0, b"unknown": NOT_THERE, b"away": SERVER_FAILURE}


def run(*command: str) -> None:
    """A command that must succeed."""
    subprocess.run(command, check=True, capture_output=True, timeout=30)


def name_server(server: socket.socket) -> None:
    """No name has an address; why not, the first label tells."""
    while True:
        asked, client = server.recvfrom(512)
        label = asked[13 : 13 + asked[12]]
        flags = (0x8180 | NAMES[label]).to_bytes(2, "big")
        server.sendto(asked[:2] + flags + asked[4:6] + b"\0\0\0\0\0\0" + asked[12:].split(b"\0\0\x29")[0], client)


def by_name(name: str) -> Heard:
    with Sinks() as sinks:
        return heard(sinks(25, server=f"{name}.example.com"))


def by_route(kind: str, address: str) -> Heard:
    """Where a route of that kind leads; none: there is no route."""
    if kind:
        run("ip", "route", "add", kind, address)
    with Sinks() as sinks:
        return heard(sinks(25, server=address))


def offers_sign_in(server: socket.socket) -> None:
    """An SMTP server that is told nothing but EHLO."""
    connection, _ = server.accept()
    with connection:
        connection.sendall(b"220 ready\r\n")
        assert connection.recv(100).startswith(b"ehlo")
        connection.sendall(b"250-mail.example.com\r\n250 AUTH PLAIN\r\n")
        assert connection.recv(100) == b""


def unencrypted() -> Heard:
    run("ip", "address", "add", f"{ELSEWHERE}/32", "dev", "lo")
    with socket.create_server((ELSEWHERE, 0)) as server, Sinks() as sinks:
        threading.Thread(target=offers_sign_in, args=(server,), daemon=True).start()
        return heard(sinks(server.getsockname()[1], server=ELSEWHERE, user="joe"))


def out_of_files() -> Heard:
    with Scripted(silent) as server, Sinks() as sinks:
        way = sinks(server.port, server="127.0.0.1")
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
        try:
            return heard(way)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)


def written(folder: Path) -> Heard:
    section = WayOutSection(name="smtp-client", server_type=ServerType.EML, eml_directory=folder)
    return heard(Way(Eml(section)))


def mounted(folder: Path, options: str) -> Path:
    """A file system in memory."""
    folder.mkdir(exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", options, "none", str(folder))
    return folder


def full(folder: Path) -> Heard:
    mounted(folder, "size=4k")
    (folder / "fill").write_bytes(b"x" * 4096)
    return written(folder)


def no_file_may_grow(folder: Path) -> Heard:
    folder.mkdir()
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    try:
        return written(folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def as_nobody(do: Callable[[], Heard]) -> Heard:
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        return do()
    finally:
        os.setresuid(0, 0, 0)


def for_the_doctor(folder: Path) -> Heard:
    section = WayOutSection(name="smtp-client", server_type=ServerType.EML, eml_directory=folder)
    try:
        list(trial(section, proxy=None, sealed=Sealed(folder), clock=ManualClock()))
    except RemoteError as error:
        return of_error(error)
    raise AssertionError("the folder can be written to")


def scenes(folder: Path) -> dict[str, Callable[[], Heard]]:
    """In an order in which none is in the way of another."""
    forbidden = Path("/mnt")  # below a folder that everybody may look into
    return {
        "name-not-found-1": lambda: by_name("unknown"),
        "name-not-found-2": lambda: by_name("nodata"),
        "name-servers-away-1": lambda: by_name("away"),
        "no-route-1": lambda: by_route("unreachable", "192.0.2.1"),
        "no-route-2": lambda: by_route("", "192.0.2.2"),
        "connection-not-permitted-1": lambda: by_route("prohibit", "192.0.2.3"),
        "encryption-missing-1": unencrypted,
        "files-used-up-1": out_of_files,
        "folder-full-1": lambda: full(folder / "full"),
        "folder-full-2": lambda: no_file_may_grow(folder / "limited"),
        "folder-not-writable-1": lambda: as_nobody(lambda: written(forbidden)),
        "folder-not-writable-2": lambda: written(mounted(folder / "read-only", "ro")),
        "folder-not-writable-3": lambda: as_nobody(lambda: for_the_doctor(forbidden)),
    }


def main() -> None:
    folder = Path(sys.argv[1])
    run("ip", "link", "set", "lo", "up")
    mounted(Path("/mnt"), "mode=700")
    resolver = folder / "resolv.conf"
    resolver.write_text("nameserver 127.0.0.1\noptions attempts:1\n")
    run("mount", "--bind", str(resolver), "/etc/resolv.conf")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 53))
        threading.Thread(target=name_server, args=(server,), daemon=True).start()
        found = {name: astuple(scene()) for name, scene in scenes(folder).items()}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
