"""Request files of the camera software are read strictly, and each fault has its sentence (L3)."""

import json
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from entitlements.activation.offline.request_files import (
    MAX_REQUEST_BYTES,
    ActivationRequest,
    Wanted,
    read_request,
)
from entitlements.identifiers.host_ids import HostIdType

pytestmark = pytest.mark.once

ID = "7KQ4-8Z2M-1V6T-R0XC-93WD-HJ5N-PB4E"
OTHER_ID = "F5RM-Q2WX-0T7B-J9CN-64HD-ZK3V-8PA1"


def request_data(**changes: Any) -> dict[str, Any]:
    """A valid request with changes; None removes a member."""
    data = {
        "format": "mxportal-activation-request",
        "version": 1,
        "portal": settings.SITE_URL,
        "hostId": "0003c5aabbcc",
        "hostIdType": "mac",
        "device": {"name": "Kamera Süd", "model": "M73"},
        "requests": [{"activationId": ID, "copies": 2}, {"activationId": OTHER_ID, "return": True}],
        "nonce": "c2l4dGVlbiByYW5kb20",
        "createdAt": "2026-06-01T08:30:00Z",
    } | changes
    return {name: value for name, value in data.items() if value is not None}


def written(**changes: Any) -> bytes:
    return json.dumps(request_data(**changes), ensure_ascii=False).encode()


def refusal(content: bytes) -> str:
    with pytest.raises(ValidationError) as refused:
        read_request(content)
    (sentence,) = refused.value.messages
    assert sentence.endswith(".")
    return sentence


def test_a_request() -> None:
    """L3: a request has host ID, Activation IDs, and counts or return."""
    assert read_request(written()) == ActivationRequest(
        host_id="00:03:C5:AA:BB:CC",
        host_id_type=HostIdType.MAC,
        device_name="Kamera Süd",
        device_model="M73",
        wanted=(Wanted(ID, 2), Wanted(OTHER_ID, 0)),
    )


def test_there_and_back() -> None:
    """L3: nothing is lost between one page and the next."""
    request = read_request(written())
    assert read_request(request.as_text().encode()) == request


def test_only_what_is_needed() -> None:
    """L3: portal, device, type and time are optional; a BOM is allowed."""
    content = written(portal=None, device=None, hostIdType=None, createdAt=None, hostId="10.2.3-A")
    request = read_request(b"\xef\xbb\xbf" + content)
    assert (request.host_id, request.host_id_type) == ("10.2.3-A", HostIdType.SERIAL)


@pytest.mark.parametrize("host_id", ["0003C5AABBCZ", "10.23.1.5", "fe80::203:c5ff:feaa:bbcc"])
@pytest.mark.parametrize("kind", [None, "serial"])
def test_host_ids_that_name_no_device(host_id: str, kind: str | None) -> None:
    """L1: a mistyped MAC address and an IP address are refused."""
    assert "“hostId”" in refusal(written(hostId=host_id, hostIdType=kind))


@pytest.mark.parametrize("created", ["1970-01-01T00:00:00Z", "2999-12-31T00:00:00Z", "yesterday", ""])
def test_a_wrong_clock_does_not_matter(created: str) -> None:
    """L3: the time is never checked."""
    assert read_request(written(createdAt=created)) == read_request(written())


@pytest.mark.parametrize("portal", [settings.SITE_URL.upper() + "/", urlsplit(settings.SITE_URL).netloc])
def test_this_portal_in_other_words(portal: str) -> None:
    """L3: the portal can be named by address or host name."""
    assert read_request(written(portal=portal))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"{}" + b" " * MAX_REQUEST_BYTES, "64 kB"),
        (b"\xff\xfe{\x00}\x00", "UTF-8"),
        (b"{", "JSON"),
        (b"[1" + b"0" * 5000 + b"]", "JSON"),
        (b"[" * 30_000, "nested"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "nested"),
        (b"null", "not a request file"),
        (b"[]", "not a request file"),
        (b'{"format": "something else"}', "not a request file"),
        (b'{"format": "mxportal-activation-request", "format": "x"}', "“format” appears twice"),
        (written().replace(b'"copies": 2', b'"copies": NaN'), "“NaN”"),
        (written().replace(b'"copies": 2', b'"copies": -Infinity'), "“-Infinity”"),
        (written().replace(b'"copies": 2', b'"copies": 2, "copies": 3'), "“copies” appears twice"),
    ],
)
def test_what_is_none(content: bytes, said: str) -> None:
    """L3: any other file is refused with a sentence."""
    assert said in refusal(content)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": 2}, "version 1"),
        ({"version": "1"}, "version 1"),
        ({"version": True}, "version 1"),
        ({"version": None}, "version 1"),
        ({"portal": "https://licenses.other.example"}, "another portal: https://licenses.other.example"),
        ({"portal": "http://[bad"}, "another portal"),
        ({"portal": 7}, "“portal”. This must be text"),
        ({"hostId": None}, "“hostId”. This is missing"),
        ({"hostId": ""}, "“hostId”. This must have 1 to 100"),
        ({"hostId": "00:03:C5:AA:BB"}, "12 hexadecimal digits"),
        ({"hostId": "FF" * 6}, "cannot belong to a device"),
        ({"hostIdType": "imei"}, "mac, serial, mxmc"),
        ({"hostIdType": []}, "mac, serial, mxmc"),
        ({"device": "M73"}, "“device”. This must be an object"),
        ({"device": {"serial": "1"}}, "“device.serial”. This version of the format does not have"),
        ({"device": {"name": "x" * 101}}, "“device.name”. This must have 0 to 100"),
        ({"device": {"name": "a\nb"}}, "control characters"),
        ({"nonce": None}, "“nonce”. This is missing"),
        ({"nonce": "short"}, "“nonce”. This must have 8 to 128"),
        ({"createdAt": 1780300000}, "“createdAt”. This must be text"),
        ({"requests": []}, "1 to 50"),
        ({"requests": {}}, "1 to 50"),
        ({"requests": [{"activationId": ID, "copies": 1}] * 51}, "1 to 50"),
        ({"requests": [7]}, "“requests[0]”. This must be an object"),
        ({"requests": [{"copies": 1}]}, "“requests[0].activationId”. This is missing"),
        ({"requests": [{"activationId": ID}]}, "either “copies” or “return”"),
        ({"requests": [{"activationId": ID, "copies": 1, "return": True}]}, "either “copies” or “return”"),
        ({"requests": [{"activationId": ID, "return": False}]}, "must be true"),
        ({"requests": [{"activationId": ID, "copies": 1, "retrun": True}]}, "retrun”. This version"),
        ({"more": {}}, "“more”. This version of the format does not have"),
    ],
)
def test_what_is_wrong(changes: dict[str, Any], said: str) -> None:
    """L3: the sentence names the member."""
    assert said in refusal(written(**changes))


@pytest.mark.parametrize("copies", [0, -1, 1.0, 1e400, "1", True, [], 10**30])
def test_no_number_of_copies(copies: Any) -> None:
    """L2: copies are whole numbers from 1; returning all is a return."""
    content = json.dumps(request_data(requests=[{"activationId": ID, "copies": copies}]))
    refusal(content.replace("Infinity", "1e400").encode())


def test_half_a_surrogate_pair() -> None:
    """It is refused, because no database takes it."""
    content = written().replace("Kamera Süd".encode(), b"\\ud800")
    assert "control characters" in refusal(content)


def test_half_a_surrogate_pair_in_a_name() -> None:
    """The error page can be sent."""
    for content in (
        b'{"\\ud800": 1, "\\ud800": 1}',
        written().replace(b'"hostId"', b'"\\ud800": 1, "hostId"'),
    ):
        assert "“?”" in refusal(content)


def test_one_id_twice() -> None:
    """L2: two totals for one Activation ID are refused, also where it is typed differently."""
    twice = [{"activationId": ID, "copies": 1}, {"activationId": ID.lower().replace("-", ""), "return": True}]
    assert "appears twice" in refusal(written(requests=twice))


def test_in_german() -> None:
    """L3: sentences are in the reader's language."""
    with translation.override("de"):
        assert "Version 1" in refusal(written(version=2))


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")))
def test_no_other_error(content: bytes) -> None:
    """L3: any content is read or refused with a sentence."""
    refusal(content)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


@given(name=st.sampled_from(sorted(request_data())), value=JSON)
def test_a_member_of_any_other_kind(name: str, value: Any) -> None:
    """L3: any type of a member is read or refused with a sentence."""
    with suppress(ValidationError):
        read_request(json.dumps(request_data() | {name: value}).encode())
