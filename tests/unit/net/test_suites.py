"""Names of cipher suites."""

import subprocess

from emaild.net.suites import openssl_name, split
from tests.servers.presence import require


def test_names_at_iana_are_those_that_openssl_itself_says() -> None:
    listed = subprocess.run(
        (require("openssl"), "ciphers", "-stdname", "ALL:!aNULL:!PSK:!SRP:@SECLEVEL=0"),
        check=True, capture_output=True, text=True, timeout=30,
    ).stdout  # fmt: skip
    pairs = [(line.split()[0], line.split()[2]) for line in listed.splitlines()]
    assert len(pairs) > 50
    assert [openssl_name(name) for name, _ in pairs] == [name for _, name in pairs]
    assert [openssl_name(name) for _, name in pairs] == [name for _, name in pairs]


def test_suites_are_told_apart_by_version() -> None:
    names = ("SSL_RSA_WITH_AES_128_CBC_SHA", "TLS_AES_128_GCM_SHA256", "ECDHE-RSA-AES256-GCM-SHA384")
    assert split(names) == (("TLS_AES_128_GCM_SHA256",), ("AES128-SHA", "ECDHE-RSA-AES256-GCM-SHA384"))
