"""The demo's mailbox, which reads the mails that the embedded default writes as files. It exists only in the demo."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import wraps
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from mxportal.shared.stamps import View, public
from mxportal.shared.views import file_headers

MAILS_SHOWN = 100
# Django writes this line after each mail; what follows is the next mail's first header, or nothing.
BETWEEN_MAILS = re.compile(rb"\n-{79}\n(?=Content-Type: |\Z)")
# A mail is text from elsewhere: it loads nothing, runs nothing, and is in no origin. Set on the response
# itself, which the middleware respects, so that no change of the site's own policy can loosen it.
MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
NO_LOGIN = "The demo's mailbox holds the mails with the first passwords; outside the demo it is 404."


@dataclass(frozen=True)
class DemoMail:
    """One mail of the mailbox, identified by its file and its place in it."""

    file: str
    index: int
    message: EmailMessage

    @property
    def sent_at(self) -> datetime | None:
        """Return when it was sent; a mail's "-0000" means UTC, which Python reads as no zone."""
        date = self.message["Date"]
        return date.datetime.replace(tzinfo=date.datetime.tzinfo or UTC) if date else None

    @property
    def headers(self) -> list[tuple[str, str]]:
        names = ("From", "To", "Subject", "Message-ID", "Content-Language")
        return [(name, str(self.message[name])) for name in names if self.message[name]]

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    @property
    def attachments(self) -> list[EmailMessage]:
        return list(self.message.iter_attachments())

    @property
    def attachment_names(self) -> list[str]:
        """Return the names for templates, in which a message's method would be looked up as a header."""
        return [attachment.get_filename() or "attachment" for attachment in self.attachments]

    def _part(self, subtype: str) -> str:
        part = self.message.get_body((subtype,))
        return str(part.get_content()) if part else ""


def demo_only(view: View) -> View:
    """Answer 404 outside the demo, where nobody may read the files."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not settings.DEMO:
            raise Http404
        return view(request, *args, **kwargs)

    return checked


@public(NO_LOGIN)
@demo_only
@require_safe
def mailbox(request: HttpRequest) -> HttpResponse:
    """List the newest mails, newest first."""
    newest_first = (mail for file in _files() for mail in reversed(list(_mails_in(file))))
    mails = list(islice(newest_first, MAILS_SHOWN + 1))
    return render(
        request, "mailbox/list.html", {"mails": mails[:MAILS_SHOWN], "more": len(mails) > MAILS_SHOWN}
    )


@public(NO_LOGIN)
@demo_only
@require_safe
def mailbox_message(request: HttpRequest, file: str, index: int) -> HttpResponse:
    """Show one mail: its headers, its text with links, its attachments."""
    return render(request, "mailbox/message.html", {"mail": _mail_or_404(file, index)})


@public(NO_LOGIN)
@demo_only
@require_safe
def mailbox_html(request: HttpRequest, file: str, index: int) -> HttpResponse:
    """Show the HTML part as the recipient sees it, isolated by its own policy."""
    html = _mail_or_404(file, index).html
    if not html:
        raise Http404
    return HttpResponse(html, headers={"Content-Security-Policy": MAIL_POLICY})


@public(NO_LOGIN)
@demo_only
@require_safe
def mailbox_attachment(request: HttpRequest, file: str, index: int, number: int) -> HttpResponse:
    """Download one attachment."""
    mail = _mail_or_404(file, index)
    if number >= len(mail.attachments):
        raise Http404
    attachment = mail.attachments[number]
    headers = file_headers(attachment.get_filename() or "attachment")
    return HttpResponse(
        attachment.get_payload(decode=True),
        content_type=attachment.get_content_type(),
        headers=headers | {"Content-Security-Policy": MAIL_POLICY},
    )


def _files() -> list[Path]:
    """Return the mail files, last written first."""
    files = Path(settings.EMAIL_FILE_PATH).glob("*.log")
    return sorted(files, key=lambda file: (file.stat().st_mtime_ns, file.name), reverse=True)


def _mails_in(file: Path) -> Iterator[DemoMail]:
    sources = [source for source in BETWEEN_MAILS.split(file.read_bytes()) if source.strip()]
    for index, source in enumerate(sources):
        message = message_from_bytes(source, policy=policy.default)
        assert isinstance(message, EmailMessage)
        yield DemoMail(file.name, index, message)


def _mail_or_404(name: str, index: int) -> DemoMail:
    """Return the mail. Only names that the folder contains are opened, so that no path leads out of it."""
    for file in _files():
        if file.name == name:
            mails = list(_mails_in(file))
            if index < len(mails):
                return mails[index]
    raise Http404


urlpatterns = [
    path("mailbox/", mailbox, name="mailbox"),
    path("mailbox/<str:file>/<int:index>/", mailbox_message, name="mailbox_message"),
    path("mailbox/<str:file>/<int:index>/html/", mailbox_html, name="mailbox_html"),
    path(
        "mailbox/<str:file>/<int:index>/attachments/<int:number>/",
        mailbox_attachment,
        name="mailbox_attachment",
    ),
]
