"""Django's view of this package."""

from importlib import import_module

from django.apps import AppConfig


class AxisorConfig(AppConfig):
    """Makes the Celery app the current one in every process, so that tasks find their broker."""

    name = "axisor"

    def ready(self) -> None:
        import_module("axisor.celery")
