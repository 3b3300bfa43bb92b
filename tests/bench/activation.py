"""License files against a bare signature of the same bytes."""

from django.conf import settings
from django.utils import timezone

from entitlements.activation.license_files import unpack
from entitlements.models import Activation, Device, License, LineItem
from entitlements.services import signing
from entitlements.services.licenses import license_file
from tests.bench.clock import interleaved

ROUNDS = 30
FILES = 300  # in a round


def license_vs_bare_sign() -> float:
    """From the rows to the file that is given out, over one Ed25519 signature of what that file signs."""
    license = _some_license()
    text = signing.Domain.MACHINE.encode() + unpack(license_file(license)).signed
    key = signing.private_half(license.key.private_key, settings.KEY_ENCRYPTION_KEY)
    ours, bare = interleaved(
        lambda: [license_file(license) for _ in range(FILES)],
        lambda: [key.sign(text) for _ in range(FILES)],
        rounds=ROUNDS,
    )
    return ours / bare


def _some_license() -> License:
    """Not saved: what a license is made of, as the service has it in hand."""
    item = LineItem.objects.select_related("product", "owner").latest("pk")
    device = Device(pk=1, account=item.owner, host_id="00:03:C5:AA:BB:CC", name="Entrance")
    activation = Activation(item=item, device=device)
    return License(activation=activation, copies=2, key=signing.active_key(), issued_at=timezone.now())
