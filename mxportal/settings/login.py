"""Users, passwords, sessions, and how often somebody may try to log in."""

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.PortalBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
CSRF_FAILURE_VIEW = "accounts.relogin.csrf_failure"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.forms.login.LoginForm",
    "reset_password": "accounts.forms.login.ResetPasswordForm",
    "reset_password_from_key": "accounts.forms.login.ResetPasswordKeyForm",
    "change_password": "accounts.forms.login.ChangePasswordForm",
}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = [
    "username*",
    "password1*",
]  # nobody signs up here, but allauth checks that the two agree
ACCOUNT_USER_MODEL_USERNAME_FIELD = "login"
ACCOUNT_USER_MODEL_EMAIL_FIELD = "login"
ACCOUNT_PRESERVE_USERNAME_CASING = False
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
# Counted in the cache before Argon2 runs, which costs 100 ms and 100 MiB an attempt. Without Redis they let pass.
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "change_password": "10/m/user",
    "reset_password_from_key": "20/m/ip",
}
# Counted in the database (accounts.services.attempts): how many, in how many seconds.
ATTEMPTS = {
    "login": (5, 300),  # wrong ones, for one user ID
    "login-address": (10, 60),  # wrong ones, from one address
    "login-browser": (5, 300),  # wrong ones, in a browser that the person has logged in with before
    "reset": (5, 3600),  # for one user ID: each sends a mail
    "reset-address": (20, 60),  # from one address
}
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_ENGINE = "mxportal.sessions"
