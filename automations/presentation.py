"""What runs keep as JSON, in the words and units of people."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from automations.models import Execution
from automations.rules.measures import CROSS

NONE = "–"


def seen_by(execution: Execution) -> str:
    """Price, what is free, and how old they were when it decided; empty if it saw nothing."""
    inputs = execution.inputs
    if not inputs:
        return ""
    price = Decimal(inputs["ticker"]["value"]["last_price"])
    free = ", ".join(_free(inputs["holdings"]["value"]))
    ages = {name: f"{1000 * seconds:,.0f} ms" for name, seconds in inputs["ages"].items()}
    return (
        f"Bitcoin at {price:,} USD, read {ages['ticker']} before; "
        f"{free} free, read {ages['holdings']} before.{_quoted(inputs)}"
    )


def positions_of(execution: Execution) -> dict[str, Any]:
    """The position-by-position verdict as a table of `headers` and `rows`."""
    positions = dict(_positions(execution.inputs["holdings"]["value"])) if execution.inputs else {}
    return {
        "headers": ["Position", "Margin", "Margin used", "Acts at", "Liquidation", "Verdict"],
        "rows": [_row(found, positions.get(found["trade_id"], {})) for found in execution.findings],
    }


def said_of(action: dict[str, Any]) -> str:
    """A stored action: what it is, on what, and with which values."""
    values = {name: value for name, value in action.items() if value is not None}
    kind, target = values.pop("kind"), values.pop("target", "")
    values.pop("trade_id", "")
    listed = ", ".join(f"{name} {value}" for name, value in values.items())
    return f"{kind} on {target}: {listed}" if listed else f"{kind} on {target}"


def _free(holdings: dict[str, Any]) -> Iterator[str]:
    if holdings.get("spot") is None:
        yield f"{holdings['balance']:,} sats"
    if holdings.get("usd") is not None:
        yield f"{Decimal(holdings['usd']):,.2f} USD"
    for balance in holdings.get("spot") or ():
        yield f"{Decimal(balance['free']):,f} {balance['asset']}"


def _quoted(inputs: dict[str, Any]) -> str:
    quotes = [
        f"{symbol} at {Decimal(quote['value']['bid']):,} to {Decimal(quote['value']['ask']):,}"
        for symbol, quote in inputs.get("quotes", ())
    ]
    return f" {'; '.join(quotes)}." if quotes else ""


def _positions(holdings: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each position by its name, in the form of a trade."""
    for trade in holdings["trades"]:
        yield trade["id"], trade
    cross = holdings.get("cross")
    if cross:
        side = "buy" if cross["quantity"] > 0 else "sell"
        as_trade = {"side": side, "price": cross["entry_price"], "quantity": abs(cross["quantity"])}
        yield CROSS, {**cross, **as_trade}


def _row(finding: dict[str, Any], position: dict[str, Any]) -> list[str]:
    distance = finding["liquidation_distance"]
    away = "" if distance is None else f", {Decimal(distance):.2%} away"
    return [
        _named(finding["trade_id"], position),
        f"{position['margin']:,} sats" if position else NONE,
        f"{Decimal(finding['margin_used']):.2%}",
        _price(finding["acts_at"]),
        f"{_price(position.get('liquidation_price'))}{away}",
        finding["reason"]["text"],
    ]


def _named(name: str, position: dict[str, Any]) -> str:
    if not position:
        return name
    side = "Long" if position["side"] == "buy" else "Short"
    margin = " (cross)" if name == CROSS else ""
    return f"{side} {position['quantity']:,} USD at {_price(position['price'])}{margin}"


def _price(price: str | None) -> str:
    return NONE if price is None else f"{Decimal(price):,}"
