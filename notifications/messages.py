"""Rendering of templates into the two parts of a mail (N3)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.template import Context, Engine
from django.utils.translation import get_language

Attachment = tuple[str, bytes, str]  # file name, content, MIME type


@dataclass(frozen=True, kw_only=True)
class Message:
    """The content of a mail, in its recipient's language.

    `fresh_secret` says that rendering created a new secret (N4), so each attempt is another mail with its own
    Message-ID (N1), and its subject is not kept.
    """

    subject: str
    text: str
    html: str
    attachments: Sequence[Attachment] = ()
    fresh_secret: bool = False


def render_message(
    template_base: str,
    context: Mapping[str, Any],
    *,
    attachments: Sequence[Attachment] = (),
    fresh_secret: bool = False,
) -> Message:
    """Render `{template_base}.subject.txt`, `.txt` and `.html` in the active language (N3).

    Besides `context` the templates get `subject`, `language` and `site_url` (without a slash at its end). Only the HTML
    part is escaped, so that the plain text keeps an O'Neill as it is.
    """
    known = {**context, "language": get_language(), "site_url": settings.SITE_URL.rstrip("/")}
    subject = one_line(_render(f"{template_base}.subject.txt", known, escape=False))
    known["subject"] = subject
    return Message(
        subject=subject,
        text=_tidy(_render(f"{template_base}.txt", known, escape=False)),
        html=_render(f"{template_base}.html", known, escape=True).strip() + "\n",
        attachments=attachments,
        fresh_secret=fresh_secret,
    )


def one_line(text: str) -> str:
    """Return the text without line breaks and other control characters, so that it can be a header (N3)."""
    visible = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(visible.split())


def _render(template_name: str, context: Mapping[str, Any], *, escape: bool) -> str:
    template = Engine.get_default().get_template(template_name)
    return template.render(Context(dict(context), autoescape=escape))


def _tidy(text: str) -> str:
    """Remove the blank lines that template tags leave: at most one between paragraphs, none at either end."""
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"
