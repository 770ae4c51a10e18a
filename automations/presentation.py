"""What runs keep as JSON, in the words and units of people."""

from decimal import Decimal
from typing import Any

from automations.models import Execution


def seen_by(execution: Execution) -> str:
    """Price, free balance, and how old they were when it decided; empty if it saw nothing."""
    inputs = execution.inputs
    if not inputs:
        return ""
    price = Decimal(inputs["ticker"]["value"]["last_price"])
    balance = inputs["holdings"]["value"]["balance"]
    ages = {name: f"{1000 * seconds:,.0f} ms" for name, seconds in inputs["ages"].items()}
    return (
        f"Bitcoin at {price:,} USD, read {ages['ticker']} before; "
        f"{balance:,} sats free, read {ages['holdings']} before."
    )


def positions_of(execution: Execution) -> dict[str, Any]:
    """The position-by-position verdict as a table of `headers` and `rows`."""
    trades = {}
    if execution.findings:
        trades = {trade["id"]: trade for trade in execution.inputs["holdings"]["value"]["trades"]}
    return {
        "headers": ["Position", "Margin", "Margin used", "Acts at", "Liquidation", "Verdict"],
        "rows": [_row(found, trades[found["trade_id"]]) for found in execution.findings],
    }


def _row(finding: dict[str, Any], trade: dict[str, Any]) -> list[str]:
    side = "Long" if trade["side"] == "buy" else "Short"
    liquidation = Decimal(trade["liquidation_price"])
    return [
        f"{side} {trade['quantity']:,} USD at {Decimal(trade['price']):,}",
        f"{trade['margin']:,} sats",
        f"{Decimal(finding['margin_used']):.2%}",
        f"{Decimal(finding['acts_at']):,}",
        f"{liquidation:,}, {Decimal(finding['liquidation_distance']):.2%} away",
        finding["reason"]["text"],
    ]
