"""Who works with the seeded rows: an admin of MOBOTIX, of the largest distributor and of its largest installer."""

from accounts.models import Account, Tier, User
from tests.factories import make_user

NUMBERS = {
    Tier.MOBOTIX: 1,
    Tier.DISTRIBUTOR: 2,
    Tier.INSTALLER: 7,
}  # as in seed.sql, for the contacts as well


def admin_of(tier: Tier) -> User:
    """The tier's admin, made at the first call."""
    account = Account.objects.get(pk=NUMBERS[tier])
    return account.users.admins().first() or make_user(account)
