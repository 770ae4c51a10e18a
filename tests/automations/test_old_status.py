"""The old system's addresses for the status of the schedule."""

import time

import pytest
import redis
from django.conf import settings as django_settings
from knox.models import AuthToken
from rest_framework.test import APIClient

from automations import pausing, schedule
from automations.timetable import firing

pytestmark = pytest.mark.django_db(transaction=True)

SCHEDULER = "/api/automation/scheduler/status"
USER = "/api/automation-scheduler/status"


@pytest.fixture(autouse=True)
def empty_redis():
    with redis.Redis.from_url(django_settings.REDIS_URL) as client:
        client.flushdb()


@pytest.fixture
def client(guarded):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {AuthToken.objects.create(guarded.user)[1]}")
    return client


def test_the_scheduler_runs_while_a_beat_looks(client):
    assert client.get(SCHEDULER).json() == {
        "success": True,
        "data": {"isRunning": False, "checkInterval": 3_600_000},
    }
    firing.note_tick(time.time())
    assert client.get(SCHEDULER).json()["data"]["isRunning"]


def test_it_does_not_while_it_is_switched_off_or_everything_paused(client, guarded, settings):
    firing.note_tick(time.time())
    pausing.pause_all(by=guarded.user, reason="x")
    assert not client.get(SCHEDULER).json()["data"]["isRunning"]
    pausing.resume_all(by=guarded.user)
    settings.SCHEDULER_ENABLED = False
    assert not client.get(SCHEDULER).json()["data"]["isRunning"]


def test_a_users_schedule(client, guarded):
    answer = client.get(USER, {"userId": guarded.user.pk}).json()
    assert (answer["isActive"], answer["activeSchedules"]) == (True, 1)
    [automation] = answer["automations"]
    assert automation["id"] == str(guarded.automation.id)
    assert (automation["type"], automation["interval"]) == ("margin_guard", 30_000)
    assert automation["nextRun"] is not None
    pausing.pause_all(by=guarded.user, reason="x", user=guarded.user)
    schedule.keep()
    assert client.get(USER, {"userId": guarded.user.pk}).json() == {
        "isActive": False,
        "activeSchedules": 0,
        "automations": [],
    }


@pytest.mark.parametrize(
    ("query", "status"), [({"userId": "0"}, 404), ({}, 400), ({"userId": "1", "x": "1"}, 400)]
)
def test_another_users_id_is_a_404(client, query, status):
    assert client.get(USER, query).status_code == status
