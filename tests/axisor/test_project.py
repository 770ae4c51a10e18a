"""The project as a whole: migrations, health, documents, and the table of tasks."""

from urllib.parse import urlsplit

import pytest
from celery import current_app
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from axisor.celery import TASK_QUEUES, VISIBILITY_TIMEOUT, WORKERS

pytestmark = pytest.mark.django_db


def test_the_models_have_their_migrations():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_the_deployment_check_is_clean():
    call_command("check", fail_level="ERROR")


def test_the_openapi_document_is_complete(tmp_path):
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "api.yaml"))


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/api/schema/", "/api/docs/"])
def test_open_pages_answer(path):
    assert Client().get(path).status_code == 200


@pytest.mark.parametrize("path", ["/api/acounts/", "/api/acounts", "/api/executions/x/y/"])
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_an_unknown_address_of_the_api_is_a_404_for_programs(path, method):
    answer = getattr(Client(), method)(path, follow=True)
    assert answer.status_code == 404
    assert "/api/docs/" in answer.json()["detail"]


def test_an_address_without_its_last_slash_is_still_found():
    answer = Client().get("/api/accounts")
    assert (answer.status_code, answer["Location"]) == (301, "/api/accounts/")


def test_not_ready_without_redis(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"database": "ok", "redis": "failed"}


def test_every_task_has_a_queue_that_a_worker_empties():
    current_app.loader.import_default_modules()
    ours = {name for name in current_app.tasks if name.startswith("automations.")}
    emptied = {queue for worker in WORKERS.values() for queue in worker.queues}
    assert ours == set(TASK_QUEUES)
    assert set(TASK_QUEUES.values()) | {"critical"} == emptied


def test_no_task_may_run_longer_than_the_broker_waits_for_it():
    current_app.loader.import_default_modules()
    ours = [task for name, task in current_app.tasks.items() if name.startswith("automations.")]
    limits = [task.time_limit for task in ours if task.time_limit is not None]
    assert max(*limits, current_app.conf.task_time_limit) < VISIBILITY_TIMEOUT


def test_the_configuration_that_flower_shows_holds_no_password():
    password = urlsplit(settings.REDIS_URL).password
    assert password
    assert password not in str(current_app.conf.table(censored=True))
    assert "********" in str(current_app.conf.table(censored=True)["redbeat_redis_options"])


def test_scheduled_tasks_exist():
    current_app.loader.import_default_modules()
    names = {entry["task"] for entry in current_app.conf.beat_schedule.values()}
    assert names <= set(current_app.tasks)
