"""An Internet of its own for one command: its DNS server at port 53, and web servers at 443 and 80, on loopback.

`python -m tests.servers.small_internet PLAN COMMAND...` is run inside namespaces of network and mounts, which
`in_small_internet` makes.
"""

import fcntl
import json
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.servers.authority import Authority
from tests.servers.dnsmasq import Dnsmasq
from tests.servers.presence import require, require_root
from tests.servers.providers import Page, Providers, Site

UP = 0x8914, 0x41  # SIOCSIFFLAGS; IFF_UP | IFF_RUNNING (netdevice(7))
ROOT = Path(__file__).parents[2]


def in_small_internet(
    command: Sequence[str], folder: Path, *, names: Sequence[str], site: Site, authority: Authority
) -> subprocess.CompletedProcess[str]:
    """Run a command where there is nothing but these names, lines of dnsmasq's conf, and these pages."""
    require_root()
    unshare = require("unshare", "mount", "dnsmasq")
    plan = {
        "names": list(names),
        "site": {place: asdict(page) | {"body": page.body.decode("latin-1")} for place, page in site.items()},
        "authority": {name: str(path) for name, path in asdict(authority).items()},
    }
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    (folder / "resolv.conf").write_text("nameserver 127.0.0.1\n", encoding="ascii")
    started = (unshare, "--net", "--mount", sys.executable, "-m", __name__, str(folder / "plan.json"), *command)
    return subprocess.run(started, cwd=ROOT, capture_output=True, text=True, timeout=90, check=False)


def _main(plan_file: str, *command: str) -> int:
    plan = json.loads(Path(plan_file).read_text(encoding="utf-8"))
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, UP[0], struct.pack("16sh", b"lo", UP[1]))
    mount = require("mount")
    subprocess.run((mount, "--bind", str(Path(plan_file).with_name("resolv.conf")), "/etc/resolv.conf"), check=True)
    site = {
        place: Page(**(page | {"body": page["body"].encode("latin-1"), "headers": tuple(map(tuple, page["headers"]))}))
        for place, page in plan["site"].items()
    }
    authority = Authority(**{name: Path(path) for name, path in plan["authority"].items()})
    with Dnsmasq(plan["names"], port=53), Providers(site, authority, https=443, http=80):
        return subprocess.run(command, check=False, timeout=60).returncode


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
