"""The demo's mailbox, which exists only in the demo and does not trust the mails that it shows."""

from pathlib import Path

import pytest
from django.core.mail import EmailMultiAlternatives, get_connection
from django.urls import reverse


@pytest.fixture(autouse=True)
def demo(settings, tmp_path) -> Path:
    settings.DEMO = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    return tmp_path


def write(*subjects: str, text: str = "Text", html: str = "<p>Text</p>") -> str:
    """Write mails over one connection, so into one file; return its name."""
    emails = []
    for subject in subjects:
        email = EmailMultiAlternatives(subject, text, "portal@x.example", ["Alice <alice@x.example>"])
        email.attach_alternative(html, "text/html")
        email.attach("Zertifikat Ä.pdf", b"%PDF-1.7", "application/pdf")
        emails.append(email)
    connection = get_connection()
    connection.send_messages(emails)
    return Path(connection._fname).name


def test_empty_mailbox_says_what_to_do(db, client):
    assert "No e-mail yet" in client.get(reverse("mailbox")).content.decode()


def test_lists_newest_first(db, client):
    write("First", "Second")
    write("Third")
    page = client.get(reverse("mailbox")).content.decode()
    assert page.index("Third") < page.index("Second") < page.index("First")


def test_message_shows_text_with_links_and_escapes(db, client):
    ruler = "-" * 79
    file = write("<b>Hello</b>", text=f"<script>1</script>\n{ruler}\nhttps://portal.example/x?a=1\n")
    page = client.get(reverse("mailbox_message", args=[file, 0])).content.decode()
    assert "&lt;b&gt;Hello&lt;/b&gt;" in page
    assert "<script>1" not in page
    assert ruler in page
    assert 'href="https://portal.example/x?a=1"' in page
    assert "Alice &lt;alice@x.example&gt;" in page
    assert "Zertifikat Ä.pdf" in page


def test_html_part_is_shut_in(db, client):
    file = write("Hello", html='<p style="color:red">Hi</p><script>alert(1)</script>')
    response = client.get(reverse("mailbox_html", args=[file, 0]))
    policy = response["Content-Security-Policy"]
    assert policy.startswith("sandbox ")
    assert "default-src 'none'" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert '<p style="color:red">Hi</p>' in response.content.decode()


def test_attachment_is_a_download(db, client):
    file = write("Hello")
    response = client.get(reverse("mailbox_attachment", args=[file, 0, 0]))
    assert response.content == b"%PDF-1.7"
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"].startswith("attachment;")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("mailbox_message", ["nothing.log", 0]),
        ("mailbox_message", ["..", 0]),
        ("mailbox_message", ["secret_key", 0]),
        ("mailbox_message", [None, 1]),
        ("mailbox_html", [None, 1]),
        ("mailbox_attachment", [None, 0, 1]),
    ],
)
def test_what_is_not_there_is_404(db, client, demo, name, arguments):
    (demo / "secret_key").write_text("not a mail")
    file = write("Hello")
    response = client.get(reverse(name, args=[file if part is None else part for part in arguments]))
    assert response.status_code == 404


@pytest.mark.parametrize(
    ("name", "place"),
    [("mailbox", []), ("mailbox_message", [0]), ("mailbox_html", [0]), ("mailbox_attachment", [0, 0])],
)
def test_outside_the_demo_there_is_no_mailbox(db, client, settings, name, place):
    file = write("Hello")
    arguments = [file, *place] if place else []
    assert client.get(reverse(name, args=arguments)).status_code == 200
    settings.DEMO = False
    assert client.get(reverse(name, args=arguments)).status_code == 404


def test_mailbox_only_reads(db, client):
    assert client.post(reverse("mailbox")).status_code == 405
