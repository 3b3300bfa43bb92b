"""Templates with malicious names (N3)."""

import copy
from pathlib import Path

import pytest
from django.utils import translation

from notifications.messages import one_line, render_message

pytestmark = pytest.mark.once

NAME = "O'Neill & <script>alert(1)</script> {{ site_url }}"


@pytest.fixture(autouse=True)
def letters(settings):
    """The templates of these tests, in addition to the portal's own."""
    templates = copy.deepcopy(settings.TEMPLATES)
    templates[0]["DIRS"] = [*templates[0]["DIRS"], Path(__file__).parent / "templates"]
    settings.TEMPLATES = templates
    settings.SITE_URL = "https://portal.example/"


def test_text_keeps_names_as_they_are():
    message = render_message("letters/plain", {"name": NAME})
    assert message.text.startswith(f"Dear {NAME},\n\nyour portal: https://portal.example/items/\n")
    assert message.text.rstrip().endswith("https://portal.example/")
    assert "\n\n\n" not in message.text


def test_html_escapes_names():
    message = render_message("letters/plain", {"name": NAME})
    assert "<script>" not in message.html
    assert "O&#x27;Neill &amp; &lt;script&gt;" in message.html
    assert "{{ site_url }}" in message.html
    assert 'href="https://portal.example"' in message.html


def test_subject_is_one_line():
    message = render_message("letters/plain", {"name": "Eve\r\nBcc: eve@x.example\x00\u2028!"})
    assert message.subject == "News for Eve Bcc: eve@x.example !"


def test_language_is_the_active_one():
    with translation.override("de"):
        assert '<html lang="de">' in render_message("letters/plain", {"name": NAME}).html


def test_one_line_keeps_every_script():
    assert one_line("  漢字\t Ärzte\n") == "漢字 Ärzte"
