"""The credentials of one account: what they may look like, and their sealed form.

Key, secret and passphrase are sealed as one value: none is of use without the others, so they
are opened, refused, rotated and wiped together, and no half of them can be swapped.
"""

import json
import re
from dataclasses import asdict

from django.views.decorators.debug import sensitive_variables

from accounts import vault
from accounts.errors import AccountInactive, InvalidField
from accounts.models import ExchangeAccount
from exchanges.types import Credentials

# They travel in HTTP headers, where anything else could not be sent.
SENDABLE = re.compile(r"[!-~]([ -~]{0,254}[!-~])?")


@sensitive_variables()
def check_credentials(credentials: Credentials, *, has_passphrase: bool = True) -> None:
    """Raise `InvalidField` for the first credential that is blank or no exchange would accept.

    Where keys have no passphrase it must be blank.
    """
    if not has_passphrase and credentials.passphrase:
        raise InvalidField("passphrase", "must be blank: keys of this exchange have none.")
    for field, value in asdict(credentials).items():
        is_needed = has_passphrase or field != "passphrase"
        if is_needed and not SENDABLE.fullmatch(value):
            raise InvalidField(
                field,
                "must be 1 to 256 printable ASCII characters, without spaces at either end; "
                "copy it again from the exchange.",
            )


@sensitive_variables()
def seal_credentials(account: ExchangeAccount, credentials: Credentials) -> None:
    """Put `credentials` into the account, sealed for its row, as a new version.

    The caller saves it, and has locked a row that is there already.
    """
    account.credentials_version += 1
    plaintext = json.dumps(asdict(credentials)).encode()
    account.sealed_credentials = vault.seal(plaintext, bound_to=place_of(account))


@sensitive_variables()
def unseal_credentials(account: ExchangeAccount) -> Credentials:
    """Open the account's credentials.

    Raises `AccountInactive` when it was disconnected, `SealBroken` when they do not open.
    """
    if account.sealed_credentials is None:
        raise AccountInactive("The account is disconnected: connect it again to use it.")
    plaintext = vault.unseal(bytes(account.sealed_credentials), bound_to=place_of(account))
    return Credentials(**json.loads(plaintext))


def place_of(account: ExchangeAccount) -> str:
    """What the credentials are bound to: row, owner, column, and the version of their sealing.

    Version 0 are those that were sealed before versions were counted.
    """
    place = f"exchange_account/{account.pk}/{account.user_id}/credentials"
    return f"{place}/{account.credentials_version}" if account.credentials_version else place
