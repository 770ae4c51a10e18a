"""What is done when every part answers: the addresses and the logins are made known."""

import dataclasses
import http.client
from collections.abc import Iterable

from axisor.up import parts, probes
from axisor.up.errors import CannotStart
from axisor.up.output import Output
from axisor.up.site import OPERATOR, Site
from axisor.up.supervisor import Supervisor

TOKEN_PREFIX = "token="  # noqa: S105


async def welcome(site: Site, supervisor: Supervisor, output: Output) -> None:
    """Publish `run.json` and show the same.

    Raises:
        CannotStart: no API token could be had.
    """
    run = {
        "web": site.ports.web_url,
        "paper": site.ports.paper_url,
        "flower": site.ports.flower_url,
        "token": await _token(site, supervisor),
        "username": OPERATOR,
        "password": site.secrets.operator_password,
    }
    site.folder.publish(run)
    for line in _summary(site, run):
        output.tell(line)


async def _token(site: Site, supervisor: Supervisor) -> str:
    """Return the API token of the last time if the platform still takes it, else a new one."""
    known = site.secrets.operator_token
    if known and _is_accepted(site, known):
        return known
    if known:
        await supervisor.repeat(parts.seed(site))
    token = _find_token(supervisor.captured("seed"))
    site.folder.keep(dataclasses.replace(site.secrets, operator_token=token))
    return token


def _is_accepted(site: Site, token: str) -> bool:
    headers = {"Authorization": f"Token {token}", **parts.FORWARDED_TLS}
    return probes.status(site.ports.web, "/api/accounts/", headers) != http.client.UNAUTHORIZED


def _find_token(lines: Iterable[str]) -> str:
    for line in lines:
        if line.startswith(TOKEN_PREFIX):
            return line.removeprefix(TOKEN_PREFIX)
    raise CannotStart("The seed command made no API token; its log says why.")


def _summary(site: Site, run: dict[str, str]) -> list[str]:
    login = f"login {run['username']} / {run['password']}"
    return [
        "",
        "Axisor is up. Ctrl-C stops it.",
        "",
        f"  Admin      {run['web']}/admin/   {login}",
        f"  API        {run['web']}/api/docs/   header Authorization: Token {run['token']}",
        f"  Flower     {run['flower']}   {login}",
        f"  Exchange   {run['paper']}   paper money; `make demo` lets its price fall",
        f"  Logs       {site.folder.logs}",
        f"  All this   {site.folder.run_file}",
        "",
    ]
