"""Certificates for a test, made by the `openssl` command: good ones, and those that a client must refuse."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Tls = Literal["good", "untrusted", "wrong-host", "expired"]

_CA_CONFIG = """
[ca]
default_ca = here
[here]
dir = .
database = index.txt
new_certs_dir = .
rand_serial = yes
unique_subject = no
certificate = ca.pem
private_key = ca.key
default_md = sha256
policy = any
[any]
commonName = supplied
"""
_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True)
class Certificates:
    """A CA (`ca_file`) and what it signed, in one folder."""

    folder: Path

    @property
    def ca_file(self) -> str:
        return str(self.folder / "ca.pem")

    def server_context(self, tls: Tls) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f"{tls}.pem", self.folder / f"{tls}.key")
        return context


def make_certificates(folder: Path) -> Certificates:
    here = "subjectAltName=IP:127.0.0.1,DNS:localhost"
    elsewhere = "subjectAltName=DNS:elsewhere.example"

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=20)

    def make(name: str, *arguments: str) -> None:
        files = ("-keyout", f"{name}.key", "-out", f"{name}.pem")
        openssl("req", "-x509", *_NEW_KEY, *files, "-subj", f"/CN={name}", "-days", "2", *arguments)

    by_ca = ("-CA", "ca.pem", "-CAkey", "ca.key")
    make("ca", "-addext", "keyUsage=critical,keyCertSign")
    make("good", *by_ca, "-addext", here, "-addext", "basicConstraints=critical,CA:FALSE")
    make("wrong-host", *by_ca, "-addext", elsewhere, "-addext", "basicConstraints=critical,CA:FALSE")
    make("untrusted", "-addext", here)
    # Only `openssl ca` can make a certificate whose time is over.
    (folder / "ca.cnf").write_text(_CA_CONFIG)
    (folder / "index.txt").touch()
    (folder / "extensions").write_text(here)
    openssl("req", *_NEW_KEY, "-keyout", "expired.key", "-out", "expired.csr", "-subj", "/CN=expired")
    past = ("-startdate", "20200101000000Z", "-enddate", "20200102000000Z")
    files = ("-in", "expired.csr", "-out", "expired.pem", "-extfile", "extensions")
    openssl("ca", "-batch", "-notext", "-config", "ca.cnf", *files, *past)
    return Certificates(folder)
