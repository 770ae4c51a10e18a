"""Django's view of this package."""

from django.apps import AppConfig


class AutomationsConfig(AppConfig):
    """Keeps the schedule in step with the accounts."""

    name = "automations"

    def ready(self) -> None:
        from accounts.signals import active_account_changed
        from automations import schedule

        active_account_changed.connect(schedule.follow_account, dispatch_uid="schedule")
