"""A4: who sees an account, and who its name only."""

from django.utils import translation
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account, User
from accounts.visibility import visible_names
from tests.factories import Cast


def seen_by(actor: User) -> set[Account]:
    return set(Account.objects.visible_to(actor))


def test_customer_is_not_visible_unless_chosen(cast: Cast) -> None:
    """A4: the distributor does not see its installer's customer, who is there; with Yes it does."""
    assert cast.customer in seen_by(cast.installer)
    assert cast.customer not in seen_by(cast.distributor)
    Account.objects.filter(pk=cast.customer.pk).update(visible_to_partners=True)
    assert cast.customer in seen_by(cast.distributor)


def test_outsiders_see_nothing_even_with_yes(cast: Cast) -> None:
    """A4: "Visible to other partners?" opens the account to the sellers further up, not to the whole portal."""
    Account.objects.filter(pk=cast.customer.pk).update(visible_to_partners=True)
    for outsider in (cast.other_distributor, cast.other_installer, cast.sibling_installer):
        assert cast.customer not in seen_by(outsider)


def test_requested_relation_shows_nothing(cast: Cast) -> None:
    """A4: asking for a relation does not show the account yet."""
    from accounts.services.relations import request_relation

    request_relation(actor=cast.other_distributor, account_id=cast.installer.account.account_id)
    assert cast.installer.account not in seen_by(cast.other_distributor)


def test_sellers_by_name_only(cast: Cast) -> None:
    """A4: an installer reads its distributor's name, and does not see the account."""
    seller = cast.distributor.account
    assert seller not in seen_by(cast.installer)
    assert visible_names(cast.installer, [seller.pk]) == {seller.pk: seller.name}


def test_names_withheld_in_one_query(cast: Cast, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """A4: names that may not be seen read "Name withheld", in the reader's language; any number in one query."""
    pks = [*Account.objects.values_list("pk", flat=True), None]
    with django_assert_num_queries(1):
        names = visible_names(cast.distributor, pks)
    assert names[cast.installer.account_id] == "Blick Sicherheitstechnik"
    assert str(names[cast.customer.pk]) == "Name withheld"
    assert str(names[cast.other_installer.account_id]) == "Name withheld"
    assert visible_names(cast.distributor, [None]) == {}
    with translation.override("de"):
        assert isinstance(str(names[cast.customer.pk]), str)


def test_mobotix_sees_all(cast: Cast) -> None:
    """A4: MOBOTIX sees every account."""
    assert len(seen_by(cast.mobotix)) == Account.objects.count()


def test_persons_follow_accounts(cast: Cast) -> None:
    """A4: persons are seen by their own account and its sellers; a stranger's are there and not seen."""
    seen = set(User.objects.visible_to(cast.distributor))
    assert cast.installer in seen
    assert not seen & {cast.customer_contact, cast.other_installer, cast.other_distributor, cast.mobotix}
