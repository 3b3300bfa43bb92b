"""Addresses of the login, accounts, users and the pickers."""

from allauth.account import views as allauth
from django.urls import path, re_path, reverse_lazy
from django.views.generic import RedirectView

from accounts.permissions import Permission, public, requires
from accounts.views import accounts, api_tokens, language, pickers, profile, relations, users
from accounts.views.login import PasswordResetFromKeyView, PasswordResetView

# Only these of django-allauth: its other pages (sign-up, further e-mail addresses) must not be reachable.
login = public("This is where one logs in (U8).")(allauth.LoginView.as_view())
logout = requires(Permission.VIEW)(allauth.LogoutView.as_view())
password_change = requires(Permission.EDIT_PROFILE)(
    allauth.PasswordChangeView.as_view(success_url=reverse_lazy("home"))
)
old_login = public("The log-in page of the portal before this one; bookmarks and old mails name it.")(
    RedirectView.as_view(pattern_name="account_login", permanent=True)
)
forgotten = public("Who has forgotten the password cannot log in (U8).")
password_reset = forgotten(PasswordResetView.as_view())
password_reset_done = forgotten(allauth.PasswordResetDoneView.as_view())
password_reset_from_key = forgotten(PasswordResetFromKeyView.as_view())
password_reset_from_key_done = forgotten(allauth.PasswordResetFromKeyDoneView.as_view())

urlpatterns = [
    path("login/", login, name="account_login"),
    path("flexnet/operationsportal/logon.do", old_login, name="old_login"),
    path("logout/", logout, name="account_logout"),
    path("password/change/", password_change, name="account_change_password"),
    path("password/reset/", password_reset, name="account_reset_password"),
    path("password/reset/done/", password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("language/", language.language_set, name="set_language"),
    path("profile/", profile.profile_edit, name="profile_edit"),
    path("accounts/", accounts.account_list, name="account_list"),
    path("accounts/related/", accounts.related_account_list, name="related_account_list"),
    path("accounts/related/request/", relations.relation_request, name="relation_request"),
    path("accounts/relations/<int:pk>/decide/", relations.relation_decide, name="relation_decide"),
    path("accounts/tokens/", api_tokens.api_token_list, name="api_token_list"),
    path("accounts/tokens/new/", api_tokens.api_token_create, name="api_token_create"),
    path("accounts/tokens/requests/", api_tokens.api_request_list, name="api_request_list"),
    path("accounts/tokens/<int:pk>/revoke/", api_tokens.api_token_revoke, name="api_token_revoke"),
    path("accounts/tokens/<int:pk>/take-over/", api_tokens.api_token_take_over, name="api_token_take_over"),
    path("accounts/pick/", pickers.account_pick, name="account_pick"),
    path("accounts/pick/contact/", pickers.contact_pick, name="contact_pick"),
    path("accounts/new/<slug:kind>/", accounts.account_create, name="account_create"),
    path("accounts/<int:pk>/", accounts.account_detail, name="account_detail"),
    path("accounts/<int:pk>/edit/", accounts.account_edit, name="account_edit"),
    path("accounts/<int:pk>/status/", accounts.account_status, name="account_status"),
    path("accounts/<int:pk>/users/new/", users.user_create, name="user_create"),
    path("users/<int:pk>/", users.user_detail, name="user_detail"),
    path("users/<int:pk>/edit/", users.user_edit, name="user_edit"),
    path("users/<int:pk>/credentials/", users.user_credentials, name="user_credentials"),
    path(
        "users/<int:pk>/mails/<int:mail_pk>/send-again/",
        users.user_mail_send_again,
        name="user_mail_send_again",
    ),
]
