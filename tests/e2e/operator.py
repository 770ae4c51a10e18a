"""The operator at the admin pages of a running platform."""

import re
import secrets

import requests

from tests.running import Platform

TIMEOUT_SECONDS = 10
TOKEN = re.compile(r"<pre[^>]*>(\w+)</pre>")
LINK = re.compile(r'href="(/admin/[^"?#]*)"')
ID = re.compile(r"/([0-9]+|[0-9a-f-]{36})/")


class Operator:
    """A browser in which the operator is logged in."""

    def __init__(self, platform: Platform) -> None:
        self._web = platform.run["web"]
        self._session = requests.Session()
        self._session.get(f"{self._web}/admin/login/", timeout=TIMEOUT_SECONDS)
        login = {name: platform.run[name] for name in ("username", "password")}
        self.submit("/admin/login/", login | {"next": "/admin/"})

    def page(self, path: str) -> str:
        """A page that must be there."""
        answer = self._session.get(self._web + path, timeout=TIMEOUT_SECONDS)
        assert answer.ok, (path, answer.status_code)
        return answer.text

    def submit(self, path: str, form: dict[str, str]) -> str:
        """Send a form, which must be taken; the page that follows."""
        fields = {"csrfmiddlewaretoken": self._session.cookies["csrftoken"], **form}
        answer = self._session.post(self._web + path, data=fields, timeout=TIMEOUT_SECONDS)
        assert answer.ok, (path, answer.status_code)
        assert "errornote" not in answer.text
        return answer.text

    def new_user(self) -> str:
        """Make a user; an API token of theirs."""
        name, password = f"trader-{secrets.token_hex(4)}", secrets.token_urlsafe(18)
        form = {"username": name, "password1": password, "password2": password}
        page = self.submit("/admin/accounts/user/add/", form | {"usable_password": "true"})
        user_id = re.search(rf"/admin/accounts/user/(\d+)/change/[^<]*>{name}", page)
        assert user_id
        page = self.submit("/admin/knox/authtoken/add/", {"user": user_id[1]})
        token = TOKEN.search(page)
        assert token
        return token[1]

    def pages(self, *first: str) -> dict[str, str]:
        """These pages, and of all that they lead to the first of each kind."""
        found: dict[str, str] = {}
        kinds: set[str] = set()
        ahead = [*first, "/admin/"]
        while ahead:
            path = ahead.pop(0)
            kind = ID.sub("/…/", path)
            if path not in found and (path in first or kind not in kinds):
                kinds.add(kind)
                found[path] = self.page(path)
                ahead += LINK.findall(found[path])
        return found
