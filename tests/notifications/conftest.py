"""A mail server, a broker, and one kind of mail that the tests can control."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from celery import Celery, _state, current_app
from celery.contrib.testing.worker import start_worker
from django.db.models import F
from django.utils import timezone
from django.utils.translation import get_language

from notifications import registry, services
from notifications.messages import Message
from notifications.models import Mail, MailServer
from notifications.services import MailDraft
from scripts.services import free_port
from tests.notifications.server import MoodyMailServer


@pytest.fixture
def smtp(settings) -> Iterator[MoodyMailServer]:
    with MoodyMailServer() as server:
        settings.EMAIL_BACKEND = "notifications.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        server.connections = 0  # that of the controller, which looks whether it runs
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.EMAIL_TIMEOUT = 1
        settings.MAIL_FROM = "Mx License Portal <licenses@portal.example>"
        settings.SITE_URL = "https://portal.example"
        yield server


@dataclass
class Letter:
    """How the kind "letter" is rendered in this test."""

    subject: str = "Hello"
    secret: bool = False
    needed: bool = True
    raises: set[int] = field(default_factory=set)  # `number` in the context of those that cannot be rendered
    languages: list[str | None] = field(default_factory=list)
    attachments: list[tuple[str, bytes, str]] = field(default_factory=list)

    def render(self, mail: Mail) -> Message | None:
        self.languages.append(get_language())
        if mail.context.get("number") in self.raises:
            raise RuntimeError("A bug.")
        if not self.needed:
            return None
        return Message(
            subject=self.subject,
            text=f"Text {mail.context}\n",
            html=f"<p>HTML {mail.context}</p>\n",
            attachments=self.attachments,
            fresh_secret=self.secret,
        )


@pytest.fixture
def letter(monkeypatch) -> Letter:
    letter = Letter()
    monkeypatch.setattr(registry, "_renderers", {**registry._renderers})
    monkeypatch.setattr(registry, "_labels", {**registry._labels})
    registry.renders("letter", "Letter")(letter.render)
    return letter


@pytest.fixture
def queue(letter) -> Callable[..., Mail]:
    """Queue a letter to Alice; its alarm does not ring inside a test's transaction."""

    def queue_letter(**changes: Any) -> Mail:
        draft = {"kind": "letter", "recipient_email": "alice@installer.example", "recipient_name": "Alice"}
        return services.queue_mails([MailDraft(**{**draft, **changes})])[0]

    return queue_letter


@pytest.fixture
def time_passes() -> Callable[..., None]:
    """Let time pass for the mail: its pause, its lease and the server's end are so much nearer."""

    def move(mail: Mail, **duration: float) -> None:
        mail.refresh_from_db()
        step = timedelta(**duration)
        changes = {"next_attempt_at": mail.next_attempt_at - step}
        if mail.claimed_until:
            changes["claimed_until"] = mail.claimed_until - step
        Mail.objects.filter(pk=mail.pk).update(**changes)
        MailServer.objects.update(next_probe_at=F("next_probe_at") - step)

    return move


@pytest.fixture
def make_due(time_passes) -> Callable[[Mail], None]:
    def move(mail: Mail) -> None:
        mail.refresh_from_db()
        time_passes(mail, seconds=(mail.next_attempt_at - timezone.now()).total_seconds() + 1)

    return move


@pytest.fixture
def celery_with() -> Iterator[Callable[[str], Celery]]:
    """Let Celery use this broker during the test."""
    current, default = current_app._get_current_object(), _state.default_app

    def use(broker: str) -> Celery:
        app = Celery("tests", broker=broker, set_as_current=True)
        app.conf.task_ignore_result = True
        app.conf.broker_transport_options = {"polling_interval": 0.05}
        app.conf.task_publish_retry_policy = {"max_retries": 1, "interval_start": 0, "interval_max": 0.1}
        app.set_default()
        return app

    yield use
    current.set_current()
    _state.set_default_app(default)


@pytest.fixture
def broker_down(celery_with) -> Celery:
    return celery_with(f"redis://127.0.0.1:{free_port()}/0")


@pytest.fixture
def worker_after(celery_with, transactional_db) -> Callable[[], AbstractContextManager[Any]]:
    """Start a real worker thread behind a broker in memory, as in the embedded default."""

    def start() -> AbstractContextManager[Any]:
        app = celery_with("memory://")
        app.loader.import_task_module("notifications.tasks")
        return start_worker(app, pool="solo", perform_ping_check=False)

    return start


@pytest.fixture
def worker(worker_after) -> Iterator[None]:
    with worker_after():
        yield
