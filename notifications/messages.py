"""From templates to the two parts of a mail (N3)."""

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
    """What one mail says, in its recipient's language.

    `fresh_secret`: rendering made a new secret (N4), so each attempt is another mail and gets its own
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
    """Render `{template_base}.subject.txt`, `.txt` and `.html` in the language that is active.

    Besides `context` they know `subject`, `language` and `site_url` (without a slash at its end). Only the
    HTML part is escaped: in plain text an O'Neill stays an O'Neill.
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
    """The text without line breaks and other control characters, so that it can stand in a header (N3)."""
    visible = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(visible.split())


def _render(template_name: str, context: Mapping[str, Any], *, escape: bool) -> str:
    template = Engine.get_default().get_template(template_name)
    return template.render(Context(dict(context), autoescape=escape))


def _tidy(text: str) -> str:
    """Template tags leave blank lines behind: at most one between paragraphs, none around."""
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"
