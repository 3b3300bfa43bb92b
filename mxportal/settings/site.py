"""The apps, the middleware, the templates, and the ports of web server and worker."""

from mxportal.settings.environment import BASE_DIR, env

INSTALLED_APPS = [
    "mxportal",
    "accounts",
    "entitlements",
    "handbook",
    "notifications",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "mxportal.staticfiles.PortalStaticFilesConfig",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
    "django_include_bootstrap",
    "django_htmx",
    "django_countries",
    "ninja",
]
MIDDLEWARE = [
    "mxportal.health.ProbeMiddleware",
    "mxportal.request_log.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "mxportal.bodies.BodyLimitMiddleware",
    "mxportal.maintenance.MaintenanceMiddleware",
    "entitlements.api.middleware.ApiMiddleware",
    "accounts.middleware.CleanCookiesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.relogin.KeepingLoginRequiredMiddleware",
    "accounts.known_browsers.KnownBrowserMiddleware",
    "accounts.middleware.UserPreferencesMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.PasswordChangeMiddleware",
    "accounts.middleware.QuotaMiddleware",
    "accounts.middleware.PrivatePagesMiddleware",
]
# Ports of web server and worker for Prometheus, to which no proxy leads; 0 is off.
METRICS_PORT = env.int("METRICS_PORT", default=0)
WORKER_METRICS_PORT = env.int("WORKER_METRICS_PORT", default=0)
METRICS_HOST = env.str("METRICS_HOST", default="127.0.0.1")
# Another port for /healthz and /readyz, which answers while every request thread waits; 0 is off.
HEALTH_PORT = env.int("HEALTH_PORT", default=0)
HEALTH_HOST = env.str("HEALTH_HOST", default="127.0.0.1")
if METRICS_PORT:
    MIDDLEWARE = [
        "django_prometheus.middleware.PrometheusBeforeMiddleware",
        *MIDDLEWARE,
        "mxportal.metrics.MetricsMiddleware",
    ]
# Threads of each web process that receive requests; the WEB_THREADS that answer get complete requests.
WEB_RECEIVERS = env.int("WEB_RECEIVERS", default=64)
ROOT_URLCONF = "mxportal.urls"
WSGI_APPLICATION = "mxportal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"
