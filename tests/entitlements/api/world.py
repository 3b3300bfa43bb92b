"""One of everything that the operations are about, and a right request for each operation."""

from typing import Any

from accounts.services.api_tokens import new_secret
from entitlements.activation.services.activate import activate_as_bearer
from entitlements.activation.services.devices import HostId
from entitlements.models import License, today
from mxportal.shared.forms import new_key
from tests.entitlements.activation.devices import host
from tests.entitlements.api.client import Program, program_of
from tests.entitlements.bulk.making import line_for, split_bulk
from tests.factories import Cast, issue_item, make_cast, make_chain

# Who asks, in the order of the matrix' columns. All but two have every scope that they may have.
ROLES = ("none", "wrong", "mobotix", "installer", "reads", "distributor", "sibling", "other")


class World:
    """The rows are the installer's, its customer's, and MOBOTIX's for what only MOBOTIX does."""

    def __init__(self) -> None:
        self.cast: Cast = make_cast()
        self.chain = make_chain(self.cast)
        self.draft = issue_item(self.cast, deploy=False)
        self.bulk = split_bulk(
            self.cast.installer, [self.chain.installed], [line_for(self.cast.customer_contact)]
        )
        served = self.chain.served
        self.license: License = activate_as_bearer(
            activation_id=served.activation_id, host=self.host(), copies=1
        )
        self.programs = self._programs()

    def host(self) -> HostId:
        """The device that holds a copy."""
        return host()

    def _programs(self) -> dict[str, Program]:
        cast = self.cast
        return {
            "none": Program(),
            "wrong": Program(new_secret()),
            "mobotix": program_of(cast.mobotix),
            "installer": program_of(cast.installer),
            "reads": program_of(cast.installer, "read"),
            "distributor": program_of(cast.distributor),
            "sibling": program_of(cast.sibling_installer),
            "other": program_of(cast.other_installer),
        }

    def path(self, template: str) -> str:
        """With the variable parts filled in."""
        filled: str = template.removeprefix("/api/v1").format(
            item_id=self.chain.installed.pk,
            bulk_id=self.bulk.pk,
            license_id=self.license.license_id,
            device_id=self.license.activation.device_id,
            account_id=self.cast.customer.account_id,
            person_id=self.cast.customer_contact.pk,
            part_number=self.cast.product.part_number,
            entitlement_id=self.chain.installed.entitlement.entitlement_id,
        )
        return filled

    def address_of(self, operation_id: str, template: str) -> str:
        """Most are about the installer's item; some need one that is in another state."""
        if operation_id in {"entitlement_add_lines", "entitlement_deploy"}:
            return template.removeprefix("/api/v1").format(
                entitlement_id=self.draft.entitlement.entitlement_id
            )
        return self.path(template)

    def body(self, operation_id: str) -> dict[str, Any] | None:
        """What the operation can do right now."""
        cast, device = self.cast, self.license.activation.device.host_id
        person = {"first_name": "Nina", "last_name": "Neu", "email": "nina@new.example"}
        line = {"part_number": cast.product.part_number, "quantity": 1, "starts_on": today().isoformat()}
        buyer = {"account_id": cast.customer.account_id, "contact_email": cast.customer_contact.email}
        bulk_line = {
            "account_id": cast.customer.account_id,
            "email": cast.customer_contact.email,
            "amount": 1,
        }
        served = {"activation_id": self.chain.served.activation_id, "host_id": device}
        order = {"contact_email": cast.distributor.email, "lines": [line]}
        bodies: dict[str, dict[str, Any]] = {
            "item_search": {"activation_id": self.chain.served.activation_id},
            "item_split": buyer | {"copies": 1},
            "item_undo": {"copies": 1, "reason": "Why not"},
            "item_mail": {"recipients": ["a@example.com"], "reason": "Why not"},
            "item_state": {"state": "inactive", "reason": "Why not"},
            "item_quantity": {"correction": "lower", "copies": 1, "reason": "Why not"},
            "bulk_split_create": {"item_ids": [self.chain.installed.pk], "lines": [bulk_line]},
            "bulk_split_undo": {"reason": "Why not"},
            "activation_create": served | {"copies": 2, "reason": "Why not"},
            "return_create": served | {"reason": "Why not"},
            "rehost_create": served | {"to_host_id": "SN-77", "reason": "Why not"},
            "account_create": {"name": "New Company", "tier": "end_customer", "person": person},
            "account_change": {"city": "Langmeil"},
            "account_status": {"status": "inactive"},
            "person_create": person,
            "person_change": {"phone": "110"},
            "product_create": {"part_number": new_key()[:20], "name_en": "New", "name_de": "Neu"},
            "product_change": {"unit": "channel"},
            "entitlement_create": order | {"account_id": cast.distributor.account.account_id},
            "entitlement_add_lines": order,
            "entitlement_deploy": {},
        }
        return bodies.get(operation_id)
