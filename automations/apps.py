"""Django's view of this package."""

from django.apps import AppConfig
from django.db.models.signals import post_save


class AutomationsConfig(AppConfig):
    """Keeps the schedule in step with the accounts, and notes what a switch leaves unguarded."""

    name = "automations"

    def ready(self) -> None:
        from accounts.models import User
        from accounts.signals import active_account_changed
        from automations import schedule
        from automations.margin import unguarded
        from exchanges.models import Exchange

        active_account_changed.connect(schedule.follow_account, dispatch_uid="schedule")
        active_account_changed.connect(unguarded.note_switch, dispatch_uid="unguarded")
        post_save.connect(schedule.follow_owner, sender=User, dispatch_uid="schedule")
        post_save.connect(schedule.follow_exchange, sender=Exchange, dispatch_uid="schedule")
