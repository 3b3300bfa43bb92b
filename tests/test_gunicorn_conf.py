"""How the web server is set up."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from gunicorn.config import Config

from mxportal.gunicorn_conf import PortalLogger

pytestmark = pytest.mark.once


def test_one_time_keys_stay_out_of_the_access_log() -> None:
    """U8: whoever reads the log can set nobody's password."""
    address = "/password/reset/key/3-abcdef-0123456789/"
    atoms = PortalLogger(Config()).atoms(
        SimpleNamespace(status="200 OK", headers=[], sent=10),
        SimpleNamespace(headers=[("Referer", f"https://portal.example{address}")]),
        {
            "REQUEST_METHOD": "GET",
            "RAW_URI": address,
            "PATH_INFO": address,
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_REFERER": f"https://portal.example{address}",
        },
        timedelta(milliseconds=5),
    )

    assert "abcdef" not in " ".join(map(str, atoms.values()))
    assert atoms["r"] == "GET /password/reset/key/… HTTP/1.1"
