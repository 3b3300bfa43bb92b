"""Asks the web server on this machine for its front page, as the proxy would: exit code 0 when it answers."""

import http.client
import os
import sys
from urllib.parse import urlsplit

site = urlsplit(os.environ.get("SITE_URL", "http://127.0.0.1:8000"))
connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8000")), timeout=5)
connection.request(
    "GET",
    "/",
    headers={"Host": site.netloc, "X-Forwarded-Proto": site.scheme, "X-Forwarded-For": "127.0.0.1"},
)
sys.exit(0 if connection.getresponse().status < 400 else 1)
