"""The environment: what is refused, and in which words."""

import base64

import pytest

from axisor import env

KEY = base64.b64encode(bytes(range(32))).decode()
GOOD = {
    "AXISOR_SECRET_KEY": "k3y-" + "0123456789" * 4,
    "AXISOR_VAULT_KEYS": f"a:{KEY}",
    "DATABASE_URL": "postgres://axisor:pw@127.0.0.1:5432/axisor",
    "REDIS_URL": "redis://:pw@127.0.0.1:6379/0",
    "HOME": "/anywhere",
}


def test_what_is_good_is_read():
    read = env.read(GOOD)
    assert read.vault_keys == {"a": bytes(range(32))}
    assert read.is_local
    assert read.margin_interval == 5
    assert read.cache_redis_url == GOOD["REDIS_URL"]
    assert not env.read({**GOOD, "AXISOR_ALLOWED_HOSTS": "axisor.example"}).is_local


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"AXISOR_SECRET_KEY": ""}, "AXISOR_SECRET_KEY is not set"),
        ({"AXISOR_SECRET_KEY": "short"}, "AXISOR_SECRET_KEY is too short or a placeholder"),
        ({"AXISOR_SECRET_KEY": "change-me-" * 5}, "AXISOR_SECRET_KEY is too short or a placehol"),
        ({"AXISOR_SECRET_KEY": "x" * 50}, "AXISOR_SECRET_KEY is too short or a placeholder"),
        ({"AXISOR_VAULT_KEYS": ""}, "AXISOR_VAULT_KEYS is not set"),
        ({"AXISOR_VAULT_KEYS": KEY}, "AXISOR_VAULT_KEYS: each entry is id:base64"),
        ({"AXISOR_VAULT_KEYS": "a:short"}, "AXISOR_VAULT_KEYS: a key is the base64 of 32"),
        ({"AXISOR_VAULT_KEYS": f"a:{KEY},a:{KEY}"}, "ids differ"),
        ({"AXISOR_VAULT_KEYS": "a:" + "A" * 43 + "="}, "a key is the base64 of 32 random"),
        ({"AXISOR_ALLOWED_HOSTS": "*"}, "AXISOR_ALLOWED_HOSTS must be host names"),
        ({"AXISOR_ALLOWED_HOSTS": "https://a"}, "AXISOR_ALLOWED_HOSTS must be host names"),
        ({"DATABASE_URL": "sqlite:///db"}, "DATABASE_URL must be a URL that starts with postgres"),
        ({"DATABASE_URL": "postgres:///x"}, "DATABASE_URL must name a host after postgres://"),
        ({"DATABASE_URL": "postgres://[h/x"}, "DATABASE_URL must name a host"),
        ({"DATABASE_URL": "postgres://a:pw@h:port/x"}, "DATABASE_URL: the port after the host"),
        ({"DATABASE_URL": "postgres://h:99999/x"}, "DATABASE_URL: the port after the host"),
        ({"REDIS_URL": "redis://h:0"}, "REDIS_URL: the port after the host must be from 1 to"),
        ({"REDIS_URL": "localhost:6379"}, "REDIS_URL must be a URL that starts with redis://"),
        (
            {"CACHE_REDIS_URL": "http://h"},
            "CACHE_REDIS_URL must be a URL that starts with redis://",
        ),
        ({"AXISOR_PAPER_URL": "ftp://h"}, "AXISOR_PAPER_URL must be a URL"),
        ({"LN_MARKETS_API_URL": "x"}, "LN_MARKETS_API_URL must be a URL"),
        ({"LN_MARKETS_REQUESTS_PER_SECOND": "0"}, "SECOND must be a number from 0.01 to 1000"),
        ({"LN_MARKETS_PUBLIC_REQUESTS_PER_SECOND": "nan"}, "must be a number from 0.01 to"),
        ({"AXISOR_MARGIN_INTERVAL": "0"}, "INTERVAL must be a whole number from 1 to 60, as in 5"),
        ({"AXISOR_MARGIN_INTERVAL": "61"}, "AXISOR_MARGIN_INTERVAL must be a whole number"),
        ({"AXISOR_MARGIN_INTERVAL": "2.5"}, "AXISOR_MARGIN_INTERVAL must be a whole number"),
        ({"PROMETHEUS_MULTIPROC_DIR": "/nowhere"}, "PROMETHEUS_MULTIPROC_DIR must be a folder"),
        ({"AUTOMATION_SCHEDULER_ENABLED": "yes"}, "ENABLED must be true or false"),
        ({"AUTOMATION_CHECK_INTERVAL": "999"}, "INTERVAL must be a whole number from 1000 to 864"),
        ({"AUTOMATION_CHECK_INTERVAL": "1h"}, "INTERVAL must be a whole number from 1000 to 864"),
        ({"AXISOR_SECRETKEY": "x"}, "AXISOR_SECRETKEY is not a setting of Axisor"),
    ],
    ids=str,
)
def test_what_is_bad_is_refused_with_a_sentence(changes, words):
    with pytest.raises(env.InvalidEnvironment) as refusal:
        env.read({**GOOD, **changes})
    assert words in str(refusal.value)
    assert "pw@" not in str(refusal.value)
