"""Q4: what costs much is limited for each person, and said in both languages."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.quotas import Quota, QuotaUsedUpError, spend
from entitlements.models import LineItem
from mxportal.shared.forms import new_key
from notifications.models import Mail
from tests.entitlements.pages import client_of, html_of
from tests.factories import Cast

pytestmark = pytest.mark.django_db


def mail_item(client: Client, item: LineItem) -> int:
    data = {"recipients": "ines@blick.example", "key": new_key()}
    return client.post(reverse("line_item_email", args=[item.pk]), data).status_code


@pytest.mark.parametrize(("language", "words"), [("en", "very often in the last hour"), ("de", "sehr oft")])
def test_a_person_reads_when_to_go_on(
    cast: Cast, item: LineItem, settings, language: str, words: str
) -> None:
    """Q4: 429, with the menus of who is logged in and the time to wait; nobody else waits."""
    settings.DOCUMENTS_AN_HOUR = 1
    User.objects.filter(pk=cast.distributor.pk).update(language=language)
    client, address = client_of(cast.distributor), reverse("device_export")
    assert client.get(address).status_code == 200
    refused = client.get(address)
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 3600
    assert words in html_of(refused)
    assert client_of(cast.distributor_viewer).get(address).status_code == 200


def test_uploads(cast: Cast, item: LineItem, settings) -> None:
    """Q4: of files and pasted lines, before they are read."""
    settings.UPLOADS_AN_HOUR = 1
    client = client_of(cast.distributor)
    address = f"{reverse('bulk_split_create')}?item={item.pk}"
    statuses = [
        client.post(
            address, {"way": "file", "file": SimpleUploadedFile("a.csv", b"x"), "key": new_key()}
        ).status_code
        for _ in range(2)
    ]
    assert statuses == [200, 429]


def test_mails(cast: Cast, item: LineItem, settings) -> None:
    """Q4: the second request to send is refused, and no mail is written."""
    settings.MAILS_AN_HOUR = 1
    client = client_of(cast.mobotix)
    assert mail_item(client, item) != 429
    before = Mail.objects.count()
    assert mail_item(client, item) == 429
    assert Mail.objects.count() == before


def test_quotas_are_counted_apart(cast: Cast, settings) -> None:
    settings.MAILS_AN_HOUR = 0
    spend(cast.distributor, Quota.UPLOADS)
    with pytest.raises(QuotaUsedUpError):
        spend(cast.distributor, Quota.MAILS)
