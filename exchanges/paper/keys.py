"""What follows when an API key is taken back. Pure; `PaperExchange.create_key` gives them."""

from dataclasses import replace

from exchanges.paper.changes import Change, Kind
from exchanges.paper.commands_account import RevokeKey
from exchanges.paper.decisions import Occasion
from exchanges.paper.refusals import NotFound, Refusal


def revoke(occasion: Occasion, command: RevokeKey) -> list[Change]:
    """The key is refused from now on, and never given back."""
    key = occasion.account.keys.get(command.id)
    if key is None:
        raise NotFound("id: no such key")
    if key.is_revoked:
        raise Refusal("The key is revoked already")
    return [occasion.change(Kind.KEY, command, records=(replace(key, is_revoked=True),))]
