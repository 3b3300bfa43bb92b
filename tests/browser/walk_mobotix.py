"""What MOBOTIX does before a distributor has anything to split."""

from playwright.sync_api import expect

from tests.browser.walk import ACTIVATION_ID, Person, Walker, text_of, wait_for_mail


def create_product(walker: Walker, part_number: str) -> None:
    """Products → Create a product."""
    walker.go("Activation & Entitlements", "Products")
    walker.page.get_by_role("link", name=walker.say("Create a product")).first.click()
    walker.field("Part number").fill(part_number)
    walker.field("Name (English)").fill("Video Analytics")
    walker.field("Name (German)").fill("Videoanalyse")
    walker.press("Save")
    walker.heading("Products")


def create_entitlement(walker: Walker, account: str, contact: Person, part_number: str, quantity: int) -> str:
    """Create Entitlement and Deploy; the Activation ID as the contact's mail brings it."""
    walker.go("Activation & Entitlements", "Create Entitlement")
    walker.pick("Distributor", account, contact)
    walker.heading("Create Entitlement")
    walker.field("Order number").fill("PO-2041")
    product = walker.field("Product")
    product.select_option(value=product.locator("option", has_text=part_number).get_attribute("value") or "")
    walker.field("Quantity").fill(str(quantity))
    walker.field("Permanent").check()
    walker.press("Save")
    walker.heading("Entitlement")
    walker.follow("Deploy")
    expect(walker.field("Send e-mail")).to_be_checked()
    walker.press("Deploy")
    expect(walker.page.get_by_role("status")).to_be_visible()
    mail = text_of(wait_for_mail(walker.portal, contact.email, walker.say("Activation ID")))
    found = ACTIVATION_ID.search(mail)
    assert found, mail
    return found[0]
