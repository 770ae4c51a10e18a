"""`python -m axisor.up.manage COMMAND …`: a management command for the platform that runs.

It gets the environment that the platform's own processes have: its addresses from `run.json`, its
secrets from the data folder, completed by the variables that the platform was started with.
"""

import os
import sys
from collections.abc import Mapping
from urllib.parse import urlsplit

from axisor import env
from axisor.up import site
from axisor.up.errors import CannotStart
from axisor.up.ports import Ports


def main() -> None:
    """Become the command, or exit with a sentence that says why it cannot be run."""
    try:
        environment = _environment(os.environ)
    except (env.InvalidEnvironment, CannotStart) as reason:
        sys.exit(f"axisor: {reason}")
    command = [sys.executable, str(site.ROOT / "manage.py"), *sys.argv[1:]]
    os.execve(sys.executable, command, dict(environment))  # noqa: S606 - no shell is wanted


def _environment(variables: Mapping[str, str]) -> Mapping[str, str]:
    env.refuse_unknown(variables)
    folder = site.folder_of(variables)
    web = urlsplit(folder.published()["web"]).port
    planned = site.plan(variables, folder, Ports(web or 0))
    for name, server in planned.servers.items():
        if not server.answers():
            raise CannotStart(
                f"The embedded {name} does not answer: set DATABASE_URL and REDIS_URL as they were"
                " for `make run`, or wait until it is started again."
            )
    return planned.environment


if __name__ == "__main__":
    main()
