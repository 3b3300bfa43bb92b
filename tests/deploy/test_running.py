"""The portal from the files of deploy/: nginx with TLS, two web servers, three workers, beat, two database roles."""

import os
import re
import shlex
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage, Message
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from scripts.services import free_port, redis, wait_for_port
from tests.deploy.test_files import DEPLOY, need
from tests.live import ROOT, process, server_environment
from tests.smtp import MailServer

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]

HOST = "licenses.example.com"
WORKERS = ["mxportal-worker@1", "mxportal-worker@2", "mxportal-mails@1", "mxportal-beat"]


@dataclass
class Answer:
    """A response that was read to its end."""

    status: int
    headers: Message
    body: str


def read(connection: HTTPConnection) -> Answer:
    with connection.getresponse() as response:
        return Answer(response.status, response.headers, response.read().decode())


class Place:
    """Free ports in place of those of the files, and where the tests put what a server has in /etc."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.https, self.http = free_port(), free_port()
        self.web = [port for port in (free_port() for _ in range(50)) if 10_000 <= port < 60_000][:2]

    def answer(self, method: str, path: str, *, host: str = HOST, **request: Any) -> Answer:
        """What the proxy answers on TLS to who asks for that host."""
        context = ssl.create_default_context(cafile=str(self.folder / "fullchain.pem"))
        headers = {"Host": host} | request.pop("headers", {})
        with (
            socket.create_connection(("127.0.0.1", self.https), timeout=20) as raw,
            context.wrap_socket(raw, server_hostname=host) as encrypted,
        ):
            connection = HTTPSConnection("127.0.0.1", self.https)
            connection.sock = encrypted
            connection.request(method, path, headers=headers, **request)
            return read(connection)

    def plain(self, path: str) -> Answer:
        """The same without TLS."""
        connection = HTTPConnection("127.0.0.1", self.http, timeout=10)
        with closing(connection):
            connection.request("GET", path, headers={"Host": HOST})
            return read(connection)


def make_certificate(folder: Path) -> None:
    """Self-signed, for the host of the files."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "privkey.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))


def nginx_configuration(place: Place) -> Path:
    """The shipped files with this test's ports and paths."""
    site = (DEPLOY / "nginx" / "portal.conf").read_text()
    for shipped, here in {
        "127.0.0.1:8001": f"127.0.0.1:{place.web[0]}",
        "127.0.0.1:8002": f"127.0.0.1:{place.web[1]}",
        "listen 80;": f"listen 127.0.0.1:{place.http};",
        "listen 443 ": f"listen 127.0.0.1:{place.https} ",
        "/etc/ssl/mxportal": str(place.folder),
        "/etc/nginx/mxportal-proxy.conf": str(DEPLOY / "nginx" / "mxportal-proxy.conf"),
        "root /etc/nginx/mxportal;": f"root {DEPLOY / 'nginx'};",
    }.items():
        assert shipped in site
        site = site.replace(shipped, here)
    site = re.sub(r"^ *listen \[::].*\n", "", site, flags=re.MULTILINE)
    temporary = "".join(
        f"{kind}_temp_path {place.folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    path = place.folder / "nginx.conf"
    path.write_text(
        f"{'user root;' if os.getuid() == 0 else ''}\ndaemon off;\nerror_log stderr;\n"
        f"pid {place.folder}/pid;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}{site}}}\n"
    )
    return path


def started_by(unit: str) -> tuple[list[str], dict[str, str]]:
    """The command and the environment that systemd would take from the unit; `name@1` is the instance 1 of `name@`."""
    name, at, instance = unit.partition("@")
    text = (DEPLOY / "systemd" / f"{name}{at}.service").read_text()
    text = text.replace("%i", instance).replace("%%", "%").replace("/opt/mxportal", str(ROOT))
    [command] = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    pairs = [
        pair for line in re.findall(r"^Environment=(.*)$", text, re.MULTILINE) for pair in shlex.split(line)
    ]
    return shlex.split(command), dict(pair.split("=", 1) for pair in pairs)


@contextmanager
def deployed(place: Place, mails: MailServer) -> Iterator[dict[str, Any]]:
    """Every part, started as the files say; web servers by their port, so that one can be ended."""
    with ExitStack() as stack:
        redis_url = stack.enter_context(redis())
        assert redis_url
        settings = server_environment(port=1, redis_url=redis_url, mail_port=mails.port, var_dir=place.folder)
        settings |= {"SITE_URL": f"https://{HOST}", "TRUSTED_PROXIES": "1", "LOG_FORMAT": "json"}
        for name in ("PORT", "METRICS_PORT", "WORKER_METRICS_PORT"):
            settings.pop(name)  # the units set them, or leave them alone
        web: dict[int, Any] = {}
        for unit in [*(f"mxportal-web@{port}" for port in place.web), *WORKERS]:
            command, own = started_by(unit)
            for name in own.keys() & {"HEALTH_PORT", "METRICS_PORT", "WORKER_METRICS_PORT"}:
                own[name] = str(free_port())
            environment = settings | own | {"VAR_DIR": str(place.folder)}
            running = stack.enter_context(
                process(*command, environment=environment, log=place.folder / f"{unit}.log")
            )
            if "web@" in unit:
                web[int(unit.partition("@")[2])] = running
        nginx = need("nginx", "nginx-light")
        stack.enter_context(
            process(
                nginx,
                "-c",
                nginx_configuration(place),
                "-p",
                place.folder,
                environment=settings,
                log=place.folder / "nginx.log",
            )
        )
        for port in (*place.web, place.https, place.http):
            wait_for_port(port)
        yield {"web": web, "settings": settings}


def credentials(mails: MailServer, address: str) -> EmailMessage:
    """The mail with a temporary password, as soon as the worker for mails has sent it."""
    deadline = time.monotonic() + 30
    while not mails.to(address) and time.monotonic() < deadline:
        time.sleep(0.1)
    [mail] = mails.to(address)
    return mail


def end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    server.wait(40)


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_the_portal_runs_from_the_files_of_deploy(tmp_path: Path) -> None:
    """One world for all of it, since it takes some seconds to start."""
    tmp_path.chmod(0o755)
    place = Place(tmp_path)
    make_certificate(tmp_path)
    with MailServer() as mails, deployed(place, mails) as running:
        login = place.answer("GET", "/login/")
        assert login.status == 200
        assert "max-age=" in login.headers["Strict-Transport-Security"]
        assert "; Secure" in login.headers["Set-Cookie"]

        assert place.plain("/login/").headers["Location"] == f"https://{HOST}/login/"
        assert place.plain("/api/v1/items").status == 403
        with pytest.raises(ssl.SSLError):
            place.answer("GET", "/login/", host="other.example.com")

        assert place.answer("POST", "/login/", body=b"x" * 300_000).status == 413
        # The client's own word on its address is appended to, and its word on TLS is overwritten.
        assert place.answer("GET", "/login/", headers={"X-Forwarded-Proto": "http"}).status == 200

        command = ["manage.py", "create_first_admin", "mara.keller@example.com", "Mara", "Keller"]
        with process(
            ROOT / ".venv" / "bin" / "python",
            *command,
            environment=running["settings"],
            log=tmp_path / "admin.log",
        ) as admin:
            assert admin.wait(60) == 0, (tmp_path / "admin.log").read_text()
        assert f"https://{HOST}/" in text_of(credentials(mails, "mara.keller@example.com"))

        ready = place.answer("GET", "/readyz")
        assert ready.status == 200, ready.body

        end(running["web"][place.web[0]])
        statuses = {place.answer("GET", "/login/").status for _ in range(6)}
        assert statuses == {200}
        end(running["web"][place.web[1]])
        gone = place.answer("GET", "/login/")
        assert (gone.status, gone.headers["Retry-After"]) == (503, "30")
        assert "nicht erreichbar" in gone.body
