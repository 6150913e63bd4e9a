"""Settings of the demo project. What Readshift needs stands at the end."""

from pathlib import Path
from typing import Any

import django

from demo.addresses import Addresses

BASE_DIR = Path(__file__).resolve().parent.parent
ADDRESSES = Addresses.load()

SECRET_KEY = "the-demo-guards-nothing"
METRICS_TOKEN = "the-metrics-of-the-demo-guard-nothing-either"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "demo",
    "demo.shop",
    "waffle",
    "django_htmx",
    "rollout",
    "routers",
    "tasks",
    "admin_ui",
]

MIDDLEWARE = [
    "routers.middleware.ReadshiftMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "demo.urls"
WSGI_APPLICATION = "demo.wsgi.application"
# The passwords are printed on the first page, and the traffic signs in often.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGIN_URL = "shop:login"
LOGIN_REDIRECT_URL = "shop:product-list"
LOGOUT_REDIRECT_URL = "shop:product-list"

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

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True

if django.VERSION >= (6, 0):
    # Every page of the demo, the admin's included, proves that a strict policy breaks nothing.
    MIDDLEWARE.append("django.middleware.csp.ContentSecurityPolicyMiddleware")
    SECURE_CSP = {"default-src": ["'self'"]}

CELERY_BROKER_URL = ADDRESSES.broker
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {name: str(Addresses.file().parent / "broker") for name in ("data_folder_in", "data_folder_out")}
    if ADDRESSES.broker.startswith("filesystem")
    else {}
)
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True

CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": ADDRESSES.cache}
    if ADDRESSES.cache
    else {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": ADDRESSES.file().resolve().parent / "cache",
    }
}


def _server(port: int, **extra: Any) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "127.0.0.1",
        "PORT": port,
        "NAME": ADDRESSES.database,
        "USER": "postgres",
        "CONN_MAX_AGE": 60,
        **extra,
    }


DATABASES = {
    "default": _server(ADDRESSES.primary),
    **{
        f"replica{number}": _server(port, TEST={"MIRROR": "default"})
        for number, port in enumerate(ADDRESSES.replicas, start=1)
    },
}

DATABASE_ROUTERS = ["routers.router.ReplicaRouter"]
READSHIFT: dict[str, Any] = {
    "CLUSTERS": {"default": {"REPLICAS": [alias for alias in DATABASES if alias != "default"]}},
    "METRICS_TOKENS": [METRICS_TOKEN],
}
