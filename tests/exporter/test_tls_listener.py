"""The listener behind TLS, as a real process: handshakes of the `openssl` command, and what of it can be seen from
outside."""

import contextlib
import json
import os
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from exporter.main import _access
from probe.settings import ConfigError, load
from probe.settings.checks import _unreadable
from tests.exporter import commands
from tests.servers import Process, free_port, until
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.freezeframe import command, configure

KEY, TOKEN = "sk-fake-tls-0123456789abcdef", "fake-token-of-the-tls-listener"
TARGETS = ({"name": "small", "model": "demo-small", "credential": "a"},)
ENVIRON = {"KEY_OF_A": KEY, "TOKEN_OF_A": TOKEN}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def configured(folder: Path, certificates: Certificates, change: Callable[[dict[str, Any]], object]) -> Path:
    def tls(config: dict[str, Any]) -> None:
        pair = {
            f"{kind}_file": str(certificates.folder / f"good.{end}") for kind, end in (("cert", "pem"), ("key", "key"))
        }
        config["server"] |= {"tls": pair, "token": {"env": "TOKEN_OF_A"}}
        change(config)

    return configure(folder, "http://127.0.0.1:9/v1", TARGETS, ("a",), change=tls)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[tuple[Process, int]]:
    """The process and its port."""
    folder, port = tmp_path_factory.mktemp("tls"), free_port()
    file = configured(folder, certificates, lambda config: config["server"].update(listen=f"127.0.0.1:{port}"))
    process = Process.start("freezeframe-tls", folder, command("run", "--config", file), ENVIRON)

    def accepts() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    until("the listener", accepts, 30)
    yield process, port
    process.kill()


def handshake(port: int, certificates: Certificates, *arguments: str) -> subprocess.CompletedProcess[str]:
    asked = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", certificates.ca_file, "-brief"]
    return subprocess.run([*asked, *arguments], input="", capture_output=True, text=True, timeout=20)


@pytest.mark.parametrize(("version", "flag"), [("TLSv1.2", "-tls1_2"), ("TLSv1.3", "-tls1_3")])
def test_a_handshake_of_today_is_made_and_the_certificate_verifies(
    running: tuple[Process, int], certificates: Certificates, version: str, flag: str
) -> None:
    done = handshake(running[1], certificates, flag, "-verify_return_error", "-verify_ip", "127.0.0.1")
    assert done.returncode == 0, done.stderr
    assert f"Protocol version: {version}" in done.stderr
    assert "Verification: OK" in done.stderr


@pytest.mark.parametrize("flag", ["-tls1", "-tls1_1"])
def test_a_handshake_of_yesterday_is_refused_by_us(
    running: tuple[Process, int], certificates: Certificates, flag: str
) -> None:
    """The client is told to allow it (security level 0): that it was cut off, and did not itself give up, shows that we
    refuse."""
    done = handshake(running[1], certificates, flag, "-cipher", "ALL:@SECLEVEL=0")
    assert done.returncode != 0
    assert "unexpected eof" in done.stderr or "alert protocol version" in done.stderr, done.stderr


async def test_the_cookie_of_a_sign_in_is_for_https_alone(
    running: tuple[Process, int], certificates: Certificates
) -> None:
    trust = ssl.create_default_context(cafile=certificates.ca_file)
    url = f"https://127.0.0.1:{running[1]}"
    async with httpx2.AsyncClient(base_url=url, verify=trust, trust_env=False) as client:
        assert (await client.get("/-/healthy")).status_code == 200
        assert (await client.get("/packets")).status_code == 401
        entered = await client.post("/login", data={"token": TOKEN, "next": "/"})
        cookie = entered.headers["set-cookie"].lower()
        assert cookie.startswith("__host-freezeframe=")
        assert {"secure", "httponly", "samesite=lax", "path=/"} <= {it.strip() for it in cookie.split(";")}
        assert "domain" not in cookie and TOKEN not in cookie
        assert (await client.get("/packets")).status_code == 200


def test_plain_http_on_that_port_gets_no_answer(running: tuple[Process, int]) -> None:
    with socket.create_connection(("127.0.0.1", running[1]), timeout=10) as plain:
        plain.sendall(b"GET /packets HTTP/1.1\r\nHost: localhost\r\n\r\n")
        said = b""
        with contextlib.suppress(ConnectionResetError):
            said = plain.recv(100)
    assert not said.startswith(b"HTTP/")


def test_neither_key_nor_token_is_in_the_process_list_the_log_or_a_memory_image(running: tuple[Process, int]) -> None:
    process, _ = running
    proc = Path(f"/proc/{process.child.pid}")
    seen = {"command line": (proc / "cmdline").read_bytes(), "log": process.log.read_bytes()}
    assert seen["command line"]
    assert [name for name, data in seen.items() for secret in (KEY, TOKEN) if secret.encode() in data] == []
    limits = (proc / "limits").read_text().splitlines()
    core = next(line for line in limits if line.startswith("Max core file size"))
    assert core.split()[4] == "0", core


def _rewrite(name: str, content: bytes | None) -> Callable[[dict[str, Any], Path], None]:
    """Points a setting at another file; without a content at one that is not there."""

    def change(config: dict[str, Any], folder: Path) -> None:
        file = folder / f"other-{name}"
        if content is not None:
            file.write_bytes(content)
        config["server"]["tls"][name] = str(file)

    return change


def _the_other_key(config: dict[str, Any], folder: Path) -> None:
    key = Path(config["server"]["tls"]["key_file"])
    config["server"]["tls"]["key_file"] = str(key.with_name("untrusted.key"))


def _with_a_passphrase(config: dict[str, Any], folder: Path) -> None:
    key, locked = config["server"]["tls"]["key_file"], folder / "locked.key"
    encrypt = ["openssl", "pkey", "-in", key, "-aes256", "-passout", "pass:fake-passphrase", "-out", locked]
    subprocess.run(encrypt, check=True, capture_output=True, timeout=20)
    config["server"]["tls"]["key_file"] = str(locked)


A_PAIR = "server.tls: expected cert_file to be a certificate and key_file its key, in PEM, the key without a passphrase"
WRONG: dict[str, tuple[Callable[[dict[str, Any], Path], None], str]] = {
    "no certificate there": (_rewrite("cert_file", None), "server.tls.cert_file: expected a file that can be read"),
    "no key there": (_rewrite("key_file", None), "server.tls.key_file: expected a file that can be read"),
    "a certificate that is none": (
        _rewrite("cert_file", b"nothing\n"),
        A_PAIR,
    ),
    "a key that is none": (_rewrite("key_file", b"nothing\n"), A_PAIR),
    "the key of another": (_the_other_key, "found a key of another certificate"),
    "a key under a passphrase": (_with_a_passphrase, "the key without a passphrase"),
    "a folder": (lambda config, folder: config["server"]["tls"].update(key_file=str(folder)), "server.tls.key_file"),
    "half of it": (lambda config, _: config["server"]["tls"].pop("key_file"), "server.tls"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_files_that_do_not_serve_are_named_when_the_configuration_is_read(
    wrong: str, tmp_path: Path, certificates: Certificates
) -> None:
    change, named = WRONG[wrong]
    file = configured(tmp_path, certificates, lambda config: change(config, tmp_path))
    with pytest.raises(ConfigError) as refused:
        load(file, ENVIRON)
    assert named in str(refused.value)
    assert "nothing" not in str(refused.value), "what stands in the file is not repeated"


def test_a_key_of_another_certificate_is_one_clear_line_before_anything_runs(
    tmp_path: Path, certificates: Certificates
) -> None:
    file = configured(tmp_path, certificates, lambda config: _the_other_key(config, tmp_path))
    commands.refused(commands.call("run", "--config", file, **ENVIRON), "found a key of another certificate")
    assert not (tmp_path / "state").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not read the key")
def test_a_key_that_may_not_be_read_is_named(tmp_path: Path, certificates: Certificates) -> None:
    key = tmp_path / "closed.key"
    key.write_bytes(b"x")
    key.chmod(0)
    os.seteuid(65534)
    try:
        named = [str(it) for it in _unreadable({"key_file": key})]
    finally:
        os.seteuid(0)
    assert named == ["server.tls.key_file: expected a file that can be read, found Permission denied"]


def test_the_configuration_in_effect_names_files_and_shows_no_key(tmp_path: Path, certificates: Certificates) -> None:
    file = configured(tmp_path, certificates, lambda config: None)
    shown = json.loads(commands.call("config", "show", "--config", file, "--json", **ENVIRON).stdout)
    assert shown["server.tls.key_file"]["value"].endswith("good.key")
    told = json.dumps(shown) + repr(load(file, ENVIRON)) + repr(_access(load(file, ENVIRON)))
    assert TOKEN not in told and KEY not in told, "nor where an object is printed, as a debugger and a traceback do"


def test_the_listener_is_reached_by_the_name_of_its_external_url(tmp_path: Path, certificates: Certificates) -> None:
    """A proxy of the operator's own passes it on as Host; and whether people come by https is told by it."""

    def behind_a_proxy(config: dict[str, Any]) -> None:
        config["server"] |= {"tls": {}, "external_url": "https://Probe.example.test/freezeframe"}

    access = _access(load(configured(tmp_path, certificates, behind_a_proxy), ENVIRON))
    assert access.names == {"probe.example.test"}
    assert access.sessions.is_secure
