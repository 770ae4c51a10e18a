"""The operator's part in the audit: pages that write down who changed what, and the audit itself.

A page of Django's own saves rows without asking a service: `AuditedAdmin` writes what was changed
in the transaction in which the page saves it.
"""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from accounts.audit import record_audit
from accounts.models import Audit, User
from exchanges.admin import ExchangeAdmin
from exchanges.models import Exchange


def operator_of(request: HttpRequest) -> User:
    """Who is signed in."""
    return User.objects.get(username=request.user.get_username())


class ReadOnlyAdmin(ModelAdmin):
    """History: it can be read, never written."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Rows are written by whatever they tell of."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What happened, happened."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """It is evidence."""
        return False


class AuditedAdmin(ModelAdmin):
    """A page whose changes are audited as `<noun>_created`, `_changed` and `_deleted`.

    `data` holds the values of a new row, and [old, new] of each field that was changed. Fields of
    the form that are none of the row, such as new passwords, are not looked at.
    """

    noun: str

    def subject_of(self, obj: Any) -> str:
        """What the row is called in the audit."""
        return f"{self.noun}/{obj.pk}"

    def owner_of(self, obj: Any) -> User | None:
        """Whose it is; None for what concerns everybody."""
        return None

    def audit(self, request: HttpRequest, what: str, obj: Any, data: dict[str, Any]) -> None:
        """Write down that the operator has done it."""
        record_audit(
            f"{self.noun}_{what}",
            by=operator_of(request),
            subject=self.subject_of(obj),
            user=self.owner_of(obj),
            data=data,
        )

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Audit what is saved by now, groups and permissions too."""
        super().save_related(request, form, formsets, change)
        if not change:
            values = {name: new for name, (_, new) in _changes(form).items()}
            self.audit(request, "created", form.instance, values)
        elif changes := _changes(form):
            self.audit(request, "changed", form.instance, changes)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Audit it while it can still be named."""
        self.audit(request, "deleted", obj, {"name": str(obj)})
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """All or none, each with its row in the audit."""
        with transaction.atomic():
            for obj in queryset:
                self.delete_model(request, obj)


def _changes(form: ModelForm[Any]) -> dict[str, tuple[Any, Any]]:
    fields = {field.name for field in form.instance._meta.get_fields()} - {"password"}  # noqa: SLF001
    return {
        name: (_plain(form.initial.get(name)), _plain(form.cleaned_data[name]))
        for name in form.changed_data
        if name in fields
    }


def _plain(value: Any) -> Any:
    """A value of a form as JSON has it: rows by what they are called."""
    if isinstance(value, list | QuerySet):
        return sorted(str(each) for each in value)
    return str(value) if isinstance(value, Model) else value


admin.site.unregister([Exchange, Group])


@admin.register(Exchange)
class AuditedExchangeAdmin(AuditedAdmin, ExchangeAdmin):
    """Exchanges do not know the audit: it is added here."""

    noun = "exchange"


@admin.register(Audit)
class AuditAdmin(ReadOnlyAdmin):
    """Who did what, to be read; the database itself refuses to change it."""

    list_display = ("at", "by", "action", "subject", "user", "account", "reason")
    list_filter = ("action",)
    list_select_related = ("by", "user", "account")
    search_fields = ("=subject", "by__username", "user__username", "account__name")
    date_hierarchy = "at"
