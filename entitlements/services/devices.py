"""L1: devices of accounts."""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.models import Account, User
from entitlements.activation.host_ids import HostIdType, normalise
from entitlements.models import Device


@dataclass(frozen=True, kw_only=True)
class HostId:
    """What names a device, as it was typed, and what a new one is called."""

    typed: str
    kind: HostIdType
    name: str = ""
    model: str = ""
    site: str = ""

    @property
    def normal(self) -> str:
        """Raises ValidationError at ``host_id``."""
        try:
            return normalise(self.typed, self.kind)
        except ValidationError as error:
            raise ValidationError({"host_id": error.messages}) from error


def find_or_make_device(*, account: Account, host: HostId, actor: User | None) -> Device:
    """L1: the account's device with that host ID; an unknown one is made. What other accounts have is not looked at."""
    host_id = host.normal
    known = Device.objects.filter(account=account, host_id=host_id)
    if device := known.first():
        return device
    try:
        with transaction.atomic():
            return Device.objects.create(
                account=account,
                host_id=host_id,
                host_id_type=host.kind,
                name=host.name,
                model=host.model,
                site=host.site,
                created_by=actor,
            )
    except IntegrityError:  # two at once
        return known.get()
