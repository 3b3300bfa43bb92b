"""Who is at work: the standing cast, with a further customer or two."""

from accounts.models import Tier, User
from tests.factories import PASSWORD, make_account, make_cast, make_contact
from tests.faults.clients import Buyer, Person


def make_world() -> list[Person]:
    """MOBOTIX, two distributors and three installers of theirs, and customers of these."""
    cast = make_cast()
    installers = [cast.installer, cast.sibling_installer, cast.other_installer]
    for installer in installers:
        customer = make_account(Tier.END_CUSTOMER, "Harbour Clinic", sellers=(installer.account,))
        make_contact(customer)
    distributors = [cast.distributor, cast.other_distributor]
    product = cast.product.pk
    return [
        _person(cast.mobotix, distributors, product),
        _person(cast.distributor, [cast.installer, cast.sibling_installer]),
        _person(cast.other_distributor, [cast.other_installer]),
        *(_person(installer, _customers_of(installer)) for installer in installers[:2]),
    ]


def _customers_of(installer: User) -> list[User]:
    return list(User.objects.visible_to(installer).filter(account__tier=Tier.END_CUSTOMER))


def _person(user: User, buyers: list[User], product: int = 0) -> Person:
    sold_to = tuple(
        Buyer(buyer.account_id, buyer.pk, buyer.account.account_id, buyer.email) for buyer in buyers
    )
    return Person(user.account.tier, user.login or "", PASSWORD, user.account_id, sold_to, product)
