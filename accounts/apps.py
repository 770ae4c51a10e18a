"""The Django app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Users and their exchange accounts."""

    name = "accounts"
    verbose_name = "Users and accounts"
