"""The settings under test: the real ones, with secrets that exist only here."""

import base64
import os

os.environ.setdefault("AXISOR_SECRET_KEY", "only-for-tests-" + "0123456789" * 4)
os.environ.setdefault("AXISOR_VAULT_KEYS", "test:" + base64.b64encode(bytes(range(32))).decode())
os.environ.setdefault("DATABASE_URL", "postgres://axisor:none@127.0.0.1:1/axisor")
os.environ.setdefault("REDIS_URL", "redis://:none@127.0.0.1:1/0")

from axisor.settings import *  # noqa: F403
