"""What one platform is made of: its folder, ports, secrets and servers, and its environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from axisor import env
from axisor.up import postgres, valkey
from axisor.up.data import DataFolder
from axisor.up.errors import CannotStart
from axisor.up.ports import Ports, refuse_taken
from axisor.up.postgres import Postgres
from axisor.up.secrets import Secrets
from axisor.up.valkey import Valkey

ROOT = Path(__file__).resolve().parent.parent.parent
OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Site:
    """One platform, as it is going to be run.

    `servers` are the embedded ones by name, without those that the environment names elsewhere.
    `environment` is what every process of ours gets: the person's variables, completed by ours.
    """

    folder: DataFolder
    ports: Ports
    secrets: Secrets
    servers: Mapping[str, Postgres | Valkey]
    environment: Mapping[str, str] = field(repr=False)

    def prepare(self) -> None:
        """Look at everything that can be looked at before the first process starts.

        Raises:
            CannotStart: something is in the way, missing or broken.
        """
        refuse_taken(self.ports, ["web", "paper", "flower", *self.servers])
        for server in self.servers.values():
            server.prepare()
        self._refuse_silent_servers()

    def _refuse_silent_servers(self) -> None:
        given = {"DATABASE_URL": postgres, "REDIS_URL": valkey}
        for (variable, kind), name in zip(given.items(), ("postgres", "valkey"), strict=True):
            trouble = "" if name in self.servers else kind.trouble_at(self.environment[variable])
            if trouble:
                raise CannotStart(
                    f"The server that {variable} names does not answer: {trouble.rstrip('.')}."
                    f" Start it, correct {variable}, or unset it to use an embedded server."
                )


def folder_of(variables: Mapping[str, str]) -> DataFolder:
    """Return the data folder that AXISOR_DATA names, or the default one."""
    return DataFolder(Path(variables.get("AXISOR_DATA") or ROOT / ".axisor").absolute())


def plan(variables: Mapping[str, str], folder: DataFolder, ports: Ports) -> Site:
    """Make a site from the person's variables and the secrets in the folder.

    Raises:
        InvalidEnvironment: a variable is malformed.
        CannotStart: the secrets cannot be had.
    """
    if variables.get("AXISOR_PAPER_URL"):
        raise env.InvalidEnvironment(
            "AXISOR_PAPER_URL must not be set for `make run`, which starts a paper exchange of its"
            " own beside AXISOR_PORT: unset it."
        )
    secrets = folder.secrets()
    servers: dict[str, Postgres | Valkey] = {}
    ours = {
        "DJANGO_SETTINGS_MODULE": "axisor.settings",
        "PYTHONUNBUFFERED": "1",
        "AXISOR_PORT": str(ports.web),
        "AXISOR_DATA": str(folder.path),
        "AXISOR_PAPER_URL": ports.paper_url,
    }
    if not variables.get("DATABASE_URL"):
        server = Postgres(folder.path / "postgres", ports.postgres, secrets.postgres_password)
        servers["postgres"], ours["DATABASE_URL"] = server, server.url
    if not variables.get("REDIS_URL"):
        broker = Valkey(folder.path / "valkey", ports.valkey, secrets.valkey_password)
        servers["valkey"], ours["REDIS_URL"] = broker, broker.url
    if not variables.get("AXISOR_SECRET_KEY"):
        ours["AXISOR_SECRET_KEY"] = secrets.django_key
    if not variables.get("AXISOR_VAULT_KEYS"):
        ours["AXISOR_VAULT_KEYS"] = f"first:{secrets.vault_key}"
    if not variables.get("PROMETHEUS_MULTIPROC_DIR"):
        ours["PROMETHEUS_MULTIPROC_DIR"] = str(folder.metrics)
    environment = {**variables, **ours}
    env.read(environment)
    return Site(folder, ports, secrets, servers, environment)
