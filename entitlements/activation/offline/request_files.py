"""Request files, with which camera software without a connection asks for licenses (L3; docs/offline-activation.md).

Nothing in such a file is trusted, not even its time. Reading is strict: unknown members are rejected, so that a
misspelt member is never taken for a missing one.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from entitlements.identifiers.activation_ids import bare
from entitlements.identifiers.host_ids import HostIdType, guess_type, normalise
from entitlements.items.checks import MAX_COPIES
from mxportal.shared.forms import new_key
from mxportal.shared.text import only_what_is_seen

FORMAT, VERSION = "mxportal-activation-request", 1
MAX_REQUEST_BYTES = 64 * 1024
MAX_REQUESTS = 50
MIN_NONCE_LENGTH, MAX_NONCE_LENGTH = 8, 128
MAX_NAME_LENGTH, MAX_ID_LENGTH, MAX_PORTAL_LENGTH = 100, 60, 200

REQUIRED = {"format", "version", "hostId", "requests", "nonce"}
OPTIONAL = {"portal", "hostIdType", "device", "createdAt"}


@dataclass(frozen=True)
class Wanted:
    """How many copies of one Activation ID the device is to hold; 0 returns all that it holds."""

    activation_id: str
    copies: int

    @property
    def is_return(self) -> bool:
        """Whether all copies come back (L4)."""
        return self.copies == 0

    def as_data(self) -> dict[str, Any]:
        """Return the request as it is written in a file."""
        asked: dict[str, Any] = {"return": True} if self.is_return else {"copies": self.copies}
        return {"activationId": self.activation_id} | asked


@dataclass(frozen=True, kw_only=True)
class ActivationRequest:
    """The request of a device; ``host_id`` is normalised, Activation IDs are as they were typed."""

    host_id: str
    host_id_type: HostIdType
    wanted: tuple[Wanted, ...]
    device_name: str = ""
    device_model: str = ""

    def as_text(self) -> str:
        """Return the same request as a file, to be passed from one page to the next."""
        return json.dumps(
            {
                "format": FORMAT,
                "version": VERSION,
                "hostId": self.host_id,
                "hostIdType": self.host_id_type.value,
                "device": {"name": self.device_name, "model": self.device_model},
                "requests": [wanted.as_data() for wanted in self.wanted],
                "nonce": new_key(),
            },
            ensure_ascii=False,
        )


def read_request(content: bytes) -> ActivationRequest:
    """Return the request in a file or QR code (L3).

    Raises ValidationError with a sentence that says what is wrong.
    """
    data = _parsed(content)
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ValidationError(
            _("This is not a request file of the camera software. Choose the file that the software saved.")
        )
    _check_version(data.get("version"))
    _check_members(data, REQUIRED, OPTIONAL, "")
    _check_portal(_text(data.get("portal", ""), "portal", MAX_PORTAL_LENGTH))
    _text(data["nonce"], "nonce", MAX_NONCE_LENGTH, MIN_NONCE_LENGTH)
    _text(data.get("createdAt", ""), "createdAt", MAX_ID_LENGTH)  # a clock that may be wrong: never checked
    device = data.get("device", {})
    _check_members(device, set(), {"name", "model"}, "device")
    host_id, kind = _host_id(data)
    return ActivationRequest(
        host_id=host_id,
        host_id_type=kind,
        device_name=_text(device.get("name", ""), "device.name", MAX_NAME_LENGTH),
        device_model=_text(device.get("model", ""), "device.model", MAX_NAME_LENGTH),
        wanted=_requests(data["requests"]),
    )


# --- JSON -------------------------------------------------------------------------------------------------------------


def _parsed(content: bytes) -> Any:
    if len(content) > MAX_REQUEST_BYTES:
        raise ValidationError(
            _("This file is larger than 64 kB. A request file of the camera software is smaller.")
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValidationError(_("This file is not text in UTF-8, so it is not a request file.")) from error
    if not text.strip():
        raise ValidationError(_("This file is empty. Save the request file in the camera software again."))
    try:
        return json.loads(text, object_pairs_hook=_members, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValidationError(_("The data in this file is nested too deeply for a request file.")) from error
    except ValueError as error:
        raise ValidationError(
            _("This file is not valid JSON. Save the request file in the camera software again.")
        ) from error


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object's members.

    Raises ValidationError where a name occurs twice, because two readers could read different requests.
    """
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise ValidationError(
                _("“%(member)s” appears twice in the request file.")
                % {"member": _shown(name[:MAX_ID_LENGTH])}
            )
        members[name] = value
    return members


def _refuse_constant(name: str) -> None:
    """Reject NaN and the infinities, which Python reads and JSON does not have.

    Raises ValidationError.
    """
    raise ValidationError(_("“%(value)s” in the request file is not a number.") % {"value": name})


# --- Members ----------------------------------------------------------------------------------------------------------


def _check_version(version: Any) -> None:
    if type(version) is not int or version != VERSION:
        message = _(
            "This request file has a different version of the format. The portal reads version %(version)s."
        )
        raise ValidationError(message % {"version": VERSION})


def _check_members(data: Any, required: set[str], optional: set[str], path: str) -> None:
    """Check that the data is an object with these members and no others.

    Raises ValidationError.
    """
    if not isinstance(data, dict):
        raise _wrong(path, _("This must be an object."))
    for name in sorted(required - data.keys()):
        raise _wrong(_joined(path, name), _("This is missing."))
    for name in sorted(data.keys() - required - optional):
        raise _wrong(_joined(path, name), _("This version of the format does not have this entry."))


def _check_portal(portal: str) -> None:
    """Check that a request that names a portal names this one.

    Raises ValidationError.
    """
    ours = urlsplit(settings.SITE_URL).netloc.casefold()
    try:
        named = urlsplit(portal if "//" in portal else f"//{portal}").netloc.casefold()
    except ValueError:
        named = "?"
    if portal and named != ours:
        message = _("This request file is for another portal: %(portal)s. Upload it there.")
        raise ValidationError(message % {"portal": portal})


def _host_id(data: dict[str, Any]) -> tuple[str, HostIdType]:
    typed = _text(data["hostId"], "hostId", MAX_NAME_LENGTH, 1)
    kind = data.get("hostIdType", guess_type(typed))
    if kind not in HostIdType.values:
        raise _wrong(
            "hostIdType", _("This must be one of: %(choices)s.") % {"choices": ", ".join(HostIdType.values)}
        )
    try:
        return normalise(typed, HostIdType(kind)), HostIdType(kind)
    except ValidationError as error:
        raise _wrong("hostId", " ".join(error.messages)) from error


def _requests(data: Any) -> tuple[Wanted, ...]:
    if not isinstance(data, list) or not 1 <= len(data) <= MAX_REQUESTS:
        raise _wrong("requests", _("This must be a list of 1 to %(most)s requests.") % {"most": MAX_REQUESTS})
    wanted = tuple(_wanted(one, f"requests[{place}]") for place, one in enumerate(data))
    refuse_twice(wanted)
    return wanted


def refuse_twice(wanted: Iterable[Wanted]) -> None:
    """Check that each Activation ID occurs only once.

    Raises ValidationError.
    """
    seen: set[str] = set()
    for one in wanted:
        if bare(one.activation_id) in seen:
            message = _("The Activation ID %(activation_id)s appears twice in the request. List it once.")
            raise ValidationError(message % {"activation_id": one.activation_id})
        seen.add(bare(one.activation_id))


def _wanted(data: Any, path: str) -> Wanted:
    _check_members(data, {"activationId"}, {"copies", "return"}, path)
    activation_id = _text(data["activationId"], f"{path}.activationId", MAX_ID_LENGTH, 1)
    if ("copies" in data) == ("return" in data):
        raise _wrong(path, _("This must have either “copies” or “return”."))
    if "return" in data:
        _check(data["return"] is True, f"{path}.return", lambda: _("This must be true."))
        return Wanted(activation_id, 0)
    copies = data["copies"]
    in_range = type(copies) is int and 1 <= copies <= MAX_COPIES
    _check(in_range, f"{path}.copies", lambda: _("This must be a whole number of at least 1."))
    return Wanted(activation_id, copies)


def _text(value: Any, path: str, most: int, least: int = 0) -> str:
    """Return one line of visible text of a valid length.

    Raises ValidationError, also for halves of surrogate pairs, which no database takes.
    """
    _check(isinstance(value, str), path, lambda: _("This must be text."))
    fits = least <= len(value.strip()) and len(value) <= most
    _check(
        fits,
        path,
        lambda: _("This must have %(least)s to %(most)s characters.") % {"least": least, "most": most},
    )
    try:
        only_what_is_seen(value)
    except ValidationError as error:
        raise _wrong(path, error.messages[0]) from error
    return value.strip()


def _check(holds: bool, path: str, problem: Callable[[], str]) -> None:
    if not holds:
        raise _wrong(path, problem())


def _wrong(path: str, problem: str) -> ValidationError:
    """Return the error about one member, which also helps the developers of camera software."""
    message = _("The request file is damaged at “%(member)s”. %(problem)s")
    return ValidationError(message % {"member": _shown(path[:MAX_PORTAL_LENGTH]), "problem": problem})


def _shown(name: str) -> str:
    """Return a name from the file for a sentence, without halves of surrogate pairs, which a page cannot contain."""
    return name.encode(errors="replace").decode()


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
