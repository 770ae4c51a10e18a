"""Django's settings: one module, driven by the environment, the same in every process."""

import os
import sys
from pathlib import Path

import django_stubs_ext
from environ import Env

from axisor import env

# Lets Django's classes be subscripted with their models, as the type checker wants it.
django_stubs_ext.monkeypatch()

try:
    ENVIRONMENT = env.read(os.environ)
except env.InvalidEnvironment as error:
    sys.exit(f"axisor: {error}")

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = ENVIRONMENT.secret_key
DEBUG = False
IS_LOCAL = ENVIRONMENT.is_local
ALLOWED_HOSTS = ENVIRONMENT.allowed_hosts
ROOT_URLCONF = "axisor.urls"
WSGI_APPLICATION = "axisor.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = ["axisor.formats"]

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "exchanges",
    "accounts",
    "automations",
    "axisor",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Database: connections stay open over tasks and requests, and are checked before use.
DATABASES = {
    "default": {
        **Env.db_url_config(ENVIRONMENT.database_url),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    },
}
DATABASES["default"].setdefault("OPTIONS", {})["connect_timeout"] = 5

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# Cookies need TLS as soon as another machine may reach the site.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not IS_LOCAL
SECURE_SSL_REDIRECT = not IS_LOCAL
# The proxy in front must set this header itself, whatever the client sent.
SECURE_PROXY_SSL_HEADER = None if IS_LOCAL else ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 0 if IS_LOCAL else 31_536_000
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.tokens.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "EXCEPTION_HANDLER": "accounts.api_errors.answer",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
    "PAGE_SIZE": 50,
}
REST_KNOX = {"TOKEN_TTL": None}
SPECTACULAR_SETTINGS = {
    "TITLE": "Axisor",
    "DESCRIPTION": "Trading automations that act exactly once and can say why.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
}
UNFOLD = {"SITE_TITLE": "Axisor", "SITE_HEADER": "Axisor"}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
}

# Ours
VAULT_KEYS = ENVIRONMENT.vault_keys
REDIS_URL = ENVIRONMENT.redis_url
SCHEDULER_ENABLED = ENVIRONMENT.scheduler_enabled
CALENDAR_CHECK_SECONDS = ENVIRONMENT.calendar_check_ms // 1000
CACHE_REDIS_URL = ENVIRONMENT.cache_redis_url
PAPER_URL = ENVIRONMENT.paper_url
LN_MARKETS_API_URL = ENVIRONMENT.ln_markets_url
MARGIN_INTERVAL = ENVIRONMENT.margin_interval
# Read by prometheus_client itself, from the environment, when it is imported.
PROMETHEUS_MULTIPROC_DIR = ENVIRONMENT.metrics_folder

# Requests a second, with one key and without any: by the slug of an exchange, else by its adapter.
EXCHANGE_LIMITS: dict[str, dict[str, float]] = {
    "lnmarkets": {
        "private": ENVIRONMENT.ln_markets_rate,
        "public": ENVIRONMENT.ln_markets_public_rate,
    },
    "paper": {"private": 100, "public": 100},
    "ccxt-kraken": {"private": 1, "public": 1},
}
