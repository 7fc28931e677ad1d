"""Libraries that need each other's half are whole for whoever asks first."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
import threading

from emaild.net.loading import loaded

sys.setswitchinterval(1e-5)
names = ("msal", "exchangelib", "google.oauth2.credentials", "google.auth.transport.requests")
begin, whole = threading.Barrier(len(names)), []


def load(name):
    begin.wait()
    whole.append(loaded(name).__name__)


threads = [threading.Thread(target=load, args=(name,)) for name in names]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert sorted(whole) == sorted(names)
"""


def test_threads_that_load_libraries_at_the_same_moment_all_get_them_whole() -> None:
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", SCRIPT], check=False, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
