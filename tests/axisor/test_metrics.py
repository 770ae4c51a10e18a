"""The metrics of all processes: who sees them, and that they are summed."""

import os
import subprocess
import sys

import pytest
from django.test import Client
from knox.models import AuthToken

from tests.accounts.builders import a_user

pytestmark = pytest.mark.django_db

COUNT = """
import django
django.setup()
from exchanges.protection.metrics import breaker_changed
breaker_changed("somewhere", "account", "open")
"""
LINE = 'axisor_exchange_breaker_changes_total{breaker="account",exchange="somewhere",state="open"}'


def get(user=None, *, address="127.0.0.1"):
    client = Client(REMOTE_ADDR=address)
    if user is None:
        return client.get("/metrics")
    token = AuthToken.objects.create(user)[1]
    return client.get("/metrics", headers={"Authorization": f"Token {token}"})


@pytest.mark.parametrize(
    ("is_local", "address", "status"),
    [
        (True, "127.0.0.1", 200),
        (True, "::1", 200),
        (True, "192.0.2.1", 401),
        (False, "127.0.0.1", 401),
    ],
    ids=["this machine", "the same", "another machine", "through the proxy of an open site"],
)
def test_strangers_see_them_on_this_machine_only(settings, is_local, address, status):
    settings.IS_LOCAL = is_local
    assert get(address=address).status_code == status


@pytest.mark.parametrize(("is_staff", "status"), [(True, 200), (False, 403)])
def test_staff_sees_them_from_everywhere(settings, is_staff, status):
    settings.IS_LOCAL = False
    assert get(a_user(is_staff=is_staff)).status_code == status


def test_a_scraper_s_wishes_are_met():
    accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
    answer = Client().get("/metrics", headers={"Accept": accept})
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert b"# TYPE axisor_exchange_requests_total counter" in answer.content


def test_all_processes_are_summed(settings, tmp_path):
    settings.PROMETHEUS_MULTIPROC_DIR = str(tmp_path)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path),
    }
    for _ in range(2):
        subprocess.run([sys.executable, "-c", COUNT], env=environment, check=True)
    assert f"{LINE} 2.0" in get().content.decode()
