"""A certification authority for the tests, and the certificate of every test server."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.servers.presence import require

SERVER_NAMES = ("localhost", "mail.example.com")

# OpenSSL's strict verification (RFC 5280), Python's default from 3.13 on, wants a key usage in a CA and the
# authority key identifier in what it signed. Some mail clients want the name in the subject too.
_CA = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
_SERVER = f"""\
subjectAltName={",".join(f"DNS:{name}" for name in SERVER_NAMES)},IP:127.0.0.1
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
authorityKeyIdentifier=keyid
subjectKeyIdentifier=hash
"""


@dataclass(frozen=True)
class Authority:
    """The files of a CA and of the one server certificate it signed; `other_ca_file` is a CA that did not."""

    ca_file: Path
    cert_file: Path
    key_file: Path
    other_ca_file: Path

    def client_context(self) -> ssl.SSLContext:
        """A context that trusts this CA alone and verifies strictly, on every version of Python."""
        context = ssl.create_default_context(cafile=str(self.ca_file))
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    def server_context(self) -> ssl.SSLContext:
        """A context for a server that shows the certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert_file, self.key_file)
        return context


def new_authority(folder: Path) -> Authority:
    """Make the CA, its server certificate and the other CA in *folder*, with the openssl command."""
    openssl = require("openssl")

    def run(*arguments: str) -> None:
        subprocess.run((openssl, *arguments), cwd=folder, check=True, capture_output=True, timeout=30)

    for name in ("ca", "other-ca"):
        subject = f"/CN=emaild test {name}"
        run("req", "-x509", *_KEY, "-days", "3650", "-keyout", f"{name}.key", "-out", f"{name}.pem",
            "-subj", subject, *_CA)  # fmt: skip
    (folder / "server.ext").write_text(_SERVER, encoding="ascii")
    run("req", *_KEY, "-keyout", "server.key", "-out", "server.csr", "-subj", f"/CN={SERVER_NAMES[0]}")
    run("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
        "-days", "3650", "-extfile", "server.ext", "-out", "server.pem")  # fmt: skip
    return Authority(folder / "ca.pem", folder / "server.pem", folder / "server.key", folder / "other-ca.pem")
