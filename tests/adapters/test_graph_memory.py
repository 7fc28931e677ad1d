"""How much memory the largest mails take over Microsoft Graph, measured in a process that does nothing else."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from random import Random
from typing import Any

from tests.adapters.graph_ways import USER, Graphs
from tests.servers.authority import Authority

MIB = 1 << 20
SIZE = 150 * MIB
COMMON = """
import gc, hashlib, json, sys
from pathlib import Path
from random import Random
from emaild.message import Outbound
from emaild.net.graph import Graph
from emaild.settings.mailbox import MailboxSection, MailboxType
from emaild.settings.secret import Secret
from emaild.settings.way_out import ServerType, WayOutSection
from emaild.sinks.graph import GraphSink
from emaild.sources.graph import GraphSource
from tests.adapters.graph_ways import USER, GivenTokens
from tests.clock import ManualClock

fields = {"server": sys.argv[1], "ca_file": Path(sys.argv[2]), "protocol_timeout": 60.0}

def memory(name):
    line = next(one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith(name))
    return int(line.split()[1]) << 10

def begin():
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here (proc(5))
    return memory("VmRSS")
"""
FETCHING = """
section = MailboxSection(
    type=MailboxType.GRAPH, mailbox=USER, password=Secret("x"), maximum_msg_size=0, **fields)
source = GraphSource(section, Graph(section, None, tokens=GivenTokens(USER), clock=ManualClock()))
source.open()
keys = source.look(None).keys
before = begin()
((mail,),) = source.fetch(keys)
after = memory("VmHWM")
print(json.dumps({"grew": after - before, "digest": hashlib.sha256(mail.raw).hexdigest()}))
"""
SENDING = """
size = int(sys.argv[3])
line = b"QUJD" * 19 + b"\\r\\n"  # of 57 bytes
raw = b"".join([
    b"From: ", USER.encode(), b"\\r\\nTo: one@example.net\\r\\nMessage-ID: <huge@example.com>\\r\\n"
    b"Content-Type: multipart/mixed; boundary=BB\\r\\n\\r\\n--BB\\r\\n\\r\\ntext\\r\\n--BB\\r\\n"
    b"Content-Disposition: attachment; filename=huge.bin\\r\\nContent-Transfer-Encoding: base64\\r\\n\\r\\n",
    line * (size // 57), b"\\r\\n--BB--\\r\\n"])
given = Outbound(id="Z" * 16, way_out="smtp-client", sender=USER, recipients=("one@example.net",),
                 message_id="<huge@example.com>", raw=raw)
section = WayOutSection(name="smtp-client", server_type=ServerType.GRAPH, user=USER, **fields)
clock = ManualClock()
sink = GraphSink(section, Graph(section, None, tokens=GivenTokens(USER), clock=clock), clock)
before = begin()
receipts = sink.send(given, lambda: None).receipts
after = memory("VmHWM")
print(json.dumps({"grew": after - before, "said": [one.state for one in receipts]}))
"""


def ran(script: str, graph: Graphs, authority: Authority) -> dict[str, Any]:
    command = [sys.executable, "-c", COMMON + script, graph.server.url, str(authority.ca_file), str(SIZE)]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_a_mail_of_150_megabytes_comes_in_with_one_copy_of_it_in_memory(graph: Graphs, authority: Authority) -> None:
    piece = Random(16).randbytes(1000).hex().encode() + b"\r\n"
    raw = b"Subject: huge\r\n\r\n" + piece * (SIZE // len(piece))
    graph.server.mailbox(USER).deliver(raw)
    said = ran(FETCHING, graph, authority)
    assert said["digest"] == hashlib.sha256(raw).hexdigest()
    assert SIZE * 0.9 < said["grew"] < SIZE * 1.3


def test_a_file_of_150_megabytes_goes_out_with_no_more_in_memory_than_its_pieces(
    graph: Graphs, authority: Authority
) -> None:
    said = ran(SENDING, graph, authority)
    assert said["said"] == ["SENT"]
    size = SIZE // 57 * 57
    digest = hashlib.sha256(b"ABC" * (size // 3)).hexdigest()
    ((file,),) = [one.attached for one in graph.server.mailbox(USER).sent]
    assert (file.size, file.digest) == (size, digest)
    assert said["grew"] < 40 * MIB  # of a mail of more than 200
