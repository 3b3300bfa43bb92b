"""The addresses of entitlements and line items."""

from django.urls import path

from entitlements.views import (
    certificate,
    email,
    entitlements,
    history,
    home,
    issue,
    keys,
    line_items,
    mails,
    products,
    split,
    states,
    undo,
    verify,
)

urlpatterns = [
    path("", home.home, name="home"),
    path("entitlements/", line_items.line_item_list, name="line_item_list"),
    path("entitlements/search/", line_items.line_item_search, name="line_item_search"),
    path("entitlements/go/<str:step>/", line_items.line_item_go, name="line_item_go"),
    path("entitlements/new/", issue.entitlement_create, name="entitlement_create"),
    path("entitlements/<int:pk>/", entitlements.entitlement_detail, name="entitlement_detail"),
    path("items/<int:pk>/", line_items.line_item_detail, name="line_item_detail"),
    path("items/<int:pk>/history/", history.line_item_history, name="line_item_history"),
    path("entitlements/<int:pk>/lines/new/", issue.entitlement_add_lines, name="entitlement_add_lines"),
    path("entitlements/<int:pk>/deploy/", issue.entitlement_deploy, name="entitlement_deploy"),
    path("items/<int:pk>/split/", split.line_item_split, name="line_item_split"),
    path("items/<int:pk>/split/done/", split.line_item_split_done, name="line_item_split_done"),
    path("items/<int:pk>/undo/", undo.line_item_undo, name="line_item_undo"),
    path("items/<int:pk>/email/", email.line_item_email, name="line_item_email"),
    path("items/<int:pk>/certificate/", certificate.line_item_certificate, name="line_item_certificate"),
    path("items/<int:pk>/state/", states.line_item_state, name="line_item_state"),
    path("products/", products.product_list, name="product_list"),
    path("products/new/", products.product_create, name="product_create"),
    path("products/<int:pk>/edit/", products.product_edit, name="product_edit"),
    path("mails/", mails.mail_list, name="mail_list"),
    path("mails/send-again/", mails.mail_send_all_again, name="mail_send_all_again"),
    path("mails/<int:pk>/send-again/", mails.mail_send_again, name="mail_send_again"),
    path(".well-known/jwks.json", keys.jwks, name="jwks"),
    path("verify/<str:code>/", verify.verify, name="verify"),
]
