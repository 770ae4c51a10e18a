"""API tokens: knox keeps their hashes, `Authorization: Token …` carries them."""

from typing import Any

from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from knox import auth
from knox.models import AuthToken
from rest_framework.exceptions import AuthenticationFailed


class TokenAuthentication(auth.TokenAuthentication):
    """Knox's, where bytes that are no text are a wrong token and not an error of ours."""

    def authenticate_credentials(self, token: bytes) -> Any:
        if not token.isascii():
            raise AuthenticationFailed("Invalid token.")
        return super().authenticate_credentials(token)


class TokenScheme(KnoxTokenScheme):  # type: ignore[no-untyped-call]
    """Its place in the OpenAPI document."""

    target_class = "accounts.tokens.TokenAuthentication"


def token_subject(token: AuthToken) -> str:
    """What the audit calls a token: knox's own name of it, which lets nobody in."""
    return f"token/{token.token_key}"
