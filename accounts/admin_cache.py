"""The credential cache in the admin: what it holds, and clearing it per account and per user."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import redis
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.decorators import action

from accounts import cache
from accounts.models import ExchangeAccount, User

AWAY = "The cache's Redis does not answer; credentials are read from the database."


class ClearsAccounts:
    """Gives the admin of accounts a page with the statistics, and an action that clears."""

    admin_site: Any

    @admin.action(description="Clear cached credentials", permissions=["change"])
    def clear_cache(self, request: HttpRequest, queryset: QuerySet[ExchangeAccount]) -> None:
        """Have these accounts' credentials read from the database the next time."""
        _clear(request, [account.pk for account in queryset])

    @action(description="Credential cache", url_path="credential-cache", permissions=["view"])
    def credential_cache(self, request: HttpRequest) -> HttpResponse:
        """The statistics of all processes."""
        context = {**self.admin_site.each_context(request), "title": "Credential cache"}
        try:
            context["kinds"] = cache.statistics()
        except redis.RedisError:
            messages.error(request, AWAY)
        return TemplateResponse(request, "accounts/credential_cache.html", context)


class ClearsUsers:
    """Gives the admin of users an action that clears what is cached of all their accounts."""

    @admin.action(description="Clear cached credentials", permissions=["change"])
    def clear_cache(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Have these users' credentials read from the database the next time."""
        accounts = ExchangeAccount.objects.filter(user__in=queryset)
        _clear(request, list(accounts.values_list("pk", flat=True)))


def _clear(request: HttpRequest, account_ids: Collection[UUID]) -> None:
    try:
        cleared = cache.clear_accounts(account_ids)
    except redis.RedisError:
        messages.error(request, AWAY)
    else:
        messages.success(request, f"{cleared} entries are cleared from the credential cache.")
