"""Each day's head is published by mail, as a file, and with a time-stamp (E11)."""

import io
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from entitlements.ledger.sealing import publishing, tree
from entitlements.ledger.sealing.anchors import kept_head
from entitlements.ledger.sealing.publishing import publish_head
from entitlements.ledger.sealing.record_sealing import seal_records
from entitlements.ledger.sealing.time_stamps import TimeStampError, stamped_at, time_stamp
from entitlements.models import LedgerHead, PublishedHead
from entitlements.models.kinds import MailKind
from entitlements.tasks import publish_head as publish_head_task
from mxportal.shared.days import today
from notifications.models import Mail
from notifications.registry import render
from scripts.services import free_port
from tests.factories import Cast, Chain, issue_item

pytestmark = pytest.mark.django_db

TSA = """
[tsa]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
ess_cert_id_alg = sha256
[ca]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign
[stamps]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
"""


class Authority:
    """A time-stamp authority by OpenSSL for these tests: its root certificate, and answers over HTTP."""

    def __init__(self, directory: Path, name: str) -> None:
        self.directory = directory / name
        self.directory.mkdir()
        (self.directory / "tsa.cnf").write_text(TSA)
        (self.directory / "serial").write_text("01")
        key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
        self.run(
            f"req -x509 {key} -keyout ca.key -out ca.pem -subj /CN={name} -extensions ca -config tsa.cnf"
        )
        self.run(f"req {key} -keyout tsa.key -out tsa.csr -subj /CN={name}-stamps -config tsa.cnf")
        self.run(
            "x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out tsa.pem"
            " -extfile tsa.cnf -extensions stamps"
        )
        self.answers = 0

    @property
    def root(self) -> str:
        return str(self.directory / "ca.pem")

    def run(self, command: str) -> None:
        done = subprocess.run(
            ["openssl", *command.split()], check=False, cwd=self.directory, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr

    def answer(self, query: bytes) -> bytes:
        (self.directory / "query").write_bytes(query)
        self.run(
            "ts -reply -config tsa.cnf -section tsa -queryfile query -signer tsa.pem -inkey tsa.key -out reply"
        )
        self.answers += 1
        return (self.directory / "reply").read_bytes()

    @contextmanager
    def listening(self) -> Iterator[str]:
        """The address of the authority."""
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                reply = authority.answer(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *arguments: Any) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            server.server_close()
            thread.join(5)


@pytest.fixture
def directory(settings: Any, tmp_path: Path) -> Path:
    settings.LEDGER_HEAD_RECIPIENTS = ["audit@mobotix.example", "vault@other.example"]
    settings.LEDGER_HEAD_DIRECTORY = str(tmp_path / "heads")
    return tmp_path / "heads"


def test_a_day_has_one_head(chain: Chain, directory: Path) -> None:
    """E11: after sealing, one file and one mail to each address; nothing more on the same day."""
    assert publish_head()
    head = LedgerHead.objects.latest("size")
    (file,) = directory.iterdir()
    assert file.name == f"ledger-head-{today():%Y-%m-%d}.json"
    assert kept_head(file.read_bytes()).root == bytes(head.root)
    assert PublishedHead.objects.get().head == head
    mails = Mail.objects.filter(kind="entitlements.ledger_head")
    assert {mail.recipient_email for mail in mails} == {"audit@mobotix.example", "vault@other.example"}
    assert not publish_head()
    publish_head_task()
    assert mails.count() == 2


def test_the_mail_brings_the_head(chain: Chain, directory: Path) -> None:
    """E11: the mail has the content of the file, whenever it is delivered."""
    publish_head()
    message = render(Mail.objects.latest("pk"))
    assert message is not None
    ((name, content, kind),) = message.attachments
    assert (name, kind) == (f"ledger-head-{today():%Y-%m-%d}.json", "application/json")
    assert content == (directory / name).read_bytes()
    assert json.loads(content)["head"]["root"] in message.text


def test_the_file_is_an_anchor(chain: Chain, directory: Path) -> None:
    """E11: `verify_ledger --head` accepts it."""
    publish_head()
    (file,) = directory.iterdir()
    output = io.StringIO()
    call_command("verify_ledger", f"--head={file}", stdout=output)
    assert "The ledger verifies" in output.getvalue()


def test_nothing_is_published_where_nobody_wants_it(chain: Chain) -> None:
    """E11: by default, and for an empty ledger."""
    assert not publish_head()
    assert not PublishedHead.objects.exists()


def test_an_empty_ledger_has_no_head(directory: Path) -> None:
    assert not publish_head()


def test_nothing_is_published_where_sealing_stands_still(
    chain: Chain, directory: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """E11: the log says so, and the next hour tries again."""
    with monkeypatch.context() as patch:
        patch.setattr(tree, "sign", lambda *about: bytes(64))
        seal_records(batches=1)
    publish_head_task()
    assert "Sealing stopped: the newest head" in caplog.text
    assert not PublishedHead.objects.exists()


@pytest.mark.slow
def test_a_time_stamp(chain: Chain, directory: Path, settings: Any, tmp_path: Path) -> None:
    """RFC 3161: it is beside the file and in the mail; `verify_ledger` and OpenSSL check it."""
    authority = Authority(tmp_path, "Trusted")
    settings.TIMESTAMP_CA = authority.root
    with authority.listening() as settings.TIMESTAMP_URL:
        publish_head()
    document, stamp = sorted(directory.iterdir())
    assert (document.suffix, stamp.suffix, authority.answers) == (".json", ".tsr", 1)
    output = io.StringIO()
    call_command("verify_ledger", f"--head={document}", stdout=output)
    assert (
        f"was there on {stamped_at(stamp.read_bytes(), document.read_bytes()):%Y-%m-%d}" in output.getvalue()
    )
    authority.run(f"ts -verify -data {document} -in {stamp} -CAfile ca.pem")
    message = render(Mail.objects.latest("pk"))
    assert message is not None
    assert message.attachments[1][1] == stamp.read_bytes()
    document.write_bytes(document.read_bytes().replace(b'"size":', b'"size": '))
    with pytest.raises(CommandError, match="the time-stamp does not hold"):
        call_command("verify_ledger", f"--head={document}")


@pytest.mark.slow
def test_a_time_stamp_of_somebody_else(settings: Any, tmp_path: Path) -> None:
    """RFC 3161: a stamp that does not lead to TIMESTAMP_CA, garbage and silence are no time-stamp."""
    other = Authority(tmp_path, "Other")
    settings.TIMESTAMP_CA = Authority(tmp_path, "Trusted").root
    with other.listening() as settings.TIMESTAMP_URL, pytest.raises(TimeStampError, match="does not hold"):
        time_stamp(b"content")
    with pytest.raises(TimeStampError, match="does not hold"):
        stamped_at(b"garbage", b"content")
    with pytest.raises(TimeStampError, match="does not answer"):
        time_stamp(b"content")


@pytest.mark.slow
def test_a_time_stamp_server_that_is_down(
    chain: Chain, directory: Path, settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """E11: the head is published, and the log says what is missing."""
    authority = Authority(tmp_path, "Trusted")
    settings.TIMESTAMP_CA = authority.root
    with authority.listening() as settings.TIMESTAMP_URL:
        pass
    assert publish_head()
    assert "Today's head has no time-stamp" in caplog.text
    assert [file.suffix for file in directory.iterdir()] == [".json"]


@pytest.mark.slow
def test_a_time_stamp_is_asked_for_until_it_is_there(
    cast: Cast, chain: Chain, directory: Path, settings: Any, tmp_path: Path
) -> None:
    """E11: the next runs of the task ask again; once it exists, its file and a second mail follow, and then nothing
    more.
    """
    authority = Authority(tmp_path, "Trusted")
    settings.TIMESTAMP_CA = authority.root
    settings.TIMESTAMP_URL = f"http://127.0.0.1:{free_port()}/"
    publish_head_task()
    head = PublishedHead.objects.get().head
    publish_head_task()
    assert (Mail.objects.filter(kind=MailKind.LEDGER_HEAD).count(), PublishedHead.objects.get().stamp) == (
        2,
        b"",
    )
    issue_item(cast)
    with authority.listening() as settings.TIMESTAMP_URL:
        publish_head_task()
        publish_head_task()
    published = PublishedHead.objects.get()
    document, stamp = sorted(directory.iterdir())
    assert (published.head, bytes(published.stamp), authority.answers) == (head, stamp.read_bytes(), 1)
    assert stamped_at(stamp.read_bytes(), document.read_bytes())
    assert Mail.objects.filter(kind=MailKind.LEDGER_HEAD).count() == 4
    message = render(Mail.objects.latest("pk"))
    assert message is not None
    assert [name.rpartition(".")[2] for name, _content, _kind in message.attachments] == ["json", "tsr"]


def test_two_that_stamp_again_send_one_mail(chain: Chain, directory: Path) -> None:
    """E11: two beats at once send one mail."""
    publish_head()
    assert publishing._add_stamp(today(), b"one")
    assert not publishing._add_stamp(today(), b"two")
    assert (
        Mail.objects.filter(kind=MailKind.LEDGER_HEAD).count(),
        bytes(PublishedHead.objects.get().stamp),
    ) == (
        4,
        b"one",
    )
