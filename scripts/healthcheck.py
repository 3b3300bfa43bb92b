"""Asks the web server on this machine whether the portal is ready: exit code 0 when it is, else it says what is not."""

import http.client
import os
import sys

connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8000")), timeout=5)
connection.request("GET", "/readyz")
answer = connection.getresponse()
if answer.status != 200:
    sys.exit(answer.read().decode())
