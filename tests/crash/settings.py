"""The real settings, of a platform that is about to be struck."""

from axisor.settings import *  # noqa: F403
from axisor.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.crash.apps.CrashConfig"]
