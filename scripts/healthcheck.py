"""Asks the web server on this machine whether the portal is ready: exit code 0 when it is, else it says what is not.

It asks on HEALTH_PORT where that is set, for there an answer comes although every request thread is busy.
"""

import http.client
import os
import sys

port = os.environ.get("HEALTH_PORT") or os.environ.get("PORT") or "8000"
connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=5)
connection.request("GET", "/readyz")
answer = connection.getresponse()
if answer.status != 200:
    sys.exit(answer.read().decode())
