"""What a config may say: refusals with their messages, templates, and JSON Schemas."""

import pytest
from pydantic import ValidationError

from automations.rules.registry import KINDS
from automations.templates import TEMPLATES
from automations.validation import config_errors
from tests.builders import NOW

ADD = {"type": "add_margin", "amount": 50_000, "max_per_position": 200_000, "max_per_day": 300_000}
CLOSE = {"type": "close_position"}
GUARD = {"threshold": "0.8", "action": ADD}
TP = {"action": {"type": "close_tp", "trigger": 50}}
ENTRY = {"side": "long", "quantity": 100}
INVEST = {
    "market": {"type": "swap"},
    "calendar": {"line": "0 9 * * 1", "zone": "UTC"},
    "amount": 25,
    "max_total_amount": 1_000,
}
BALANCE = {"weights": {"BTC": 50, "USD": 50}}
SPOT = {"type": "spot", "quote": "EUR", "weights": {"BTC": 50, "EUR": 50}}
TRIGGER = {
    "conditions": [{"type": "price", "at_or_above": 120_000}],
    "order": {"type": "isolated", "side": "long", "quantity": 100},
}
VALID = {
    "margin_guard": GUARD,
    "tp_sl": TP,
    "auto_entry": ENTRY,
    "auto_invest": INVEST,
    "rebalancing": BALANCE,
    "trigger_order": TRIGGER,
}


def moving(**changes):
    return {"action": {"type": "update_sl", "trigger": 10, "price": 95_000, **changes}}


def adding(**changes):
    return {"action": {**ADD, **changes}}


def when(**condition):
    return {"conditions": [condition]}


REFUSED = {
    "margin_guard": [
        ({"threshold": "0"}, "threshold", "greater than or equal to 0.001"),
        ({"threshold": "1"}, "threshold", "less than or equal to 0.99"),
        ({"threshold": "NaN"}, "threshold", "finite number"),
        ({"threshold": float("inf")}, "threshold", "finite number"),
        ({"threshold": "0.12345"}, "threshold", "4 decimal places"),
        ({"threshold": None}, "threshold", "Decimal"),
        ({"threshold": True}, "threshold", "Decimal"),
        ({"threshold": "0.01"}, "measure", "with margin_used the threshold must be at least 0.05"),
        ({"cool_down": -1}, "cool_down", "greater than or equal to 0"),
        ({"cool_down": 1.5}, "cool_down", "integer"),
        ({"cool_down": True}, "cool_down", "integer"),
        ({"surprise": 1}, "surprise", "Unknown key. Allowed: action, cool_down, measure"),
        ({"scope": {"side": "up"}}, "scope.side", "'both', 'long' or 'short'"),
        ({"scope": {"sides": "both"}}, "scope.sides", "Unknown key. Allowed: cross, exclude"),
        ({"scope": {"only": []}}, "scope.only", "Must have 1 at least"),
        ({"scope": {"only": [""]}}, "scope.only.0", "at least 1 character"),
        ({"scope": {"only": "a"}}, "scope.only", "Must be a list"),
        ({"scope": {"only": ["a"], "exclude": ["a"]}}, "scope.exclude", "`only` names as well: a"),
        ({"scope": {"only": ["a"], "isolated": False}}, "scope.isolated", "which are isolated"),
        ({"scope": {"isolated": False}}, "scope.cross", "or nothing is looked at"),
        (
            {"action": {"type": "pray"}},
            "action.type",
            "add_margin, close_position, reduce_position",
        ),
        ({"action": {}}, "action.type", "Must be one of: add_margin"),
        ({"action": 5}, "action", "Must be an object, of one of the types"),
        ({"action": {**CLOSE, "amount": 5}}, "action.amount", "Unknown key. Allowed: type"),
        ({"action": {"type": "reduce_position"}}, "action.percent", "Required"),
        ({"action": {"type": "reduce_position", "percent": 100}}, "action.percent", "equal to 99"),
        (adding(amount=0), "action.amount", "greater than or equal to 1"),
        (adding(amount="50000"), "action.amount", "integer"),
        (adding(amount=10**12), "action.amount", "less than or equal to 100000000000"),
        (adding(amount=None), "action", "amount, target: give exactly one of the two"),
        (adding(target="0.5"), "action", "amount, target: give exactly one of the two"),
        (adding(max_per_position=49_999), "action.max_per_position", "the amount of 50,000"),
        (adding(max_per_day=49_999), "action.max_per_day", "the amount of 50,000"),
        (adding(amount=None, target="0.8"), "action", "target: must be below the threshold of 0.8"),
        (adding(take_back={"below": "0.8"}), "action", "take_back.below: must be below"),
        (adding(fallback={"type": "pray"}), "action.fallback.type", "partial, reduce_position"),
        (
            adding(fallback={"type": "reduce_position", "percent": 0}),
            "action.fallback.percent",
            "greater than or equal to 1",
        ),
        (
            {**adding(take_back={"below": "0.2"}), "measure": "margin_ratio"},
            "action",
            "only with the measure margin_used",
        ),
        (
            {
                **adding(take_back={"below": "0.2"}),
                "scope": {"isolated": False, "cross": True},
            },
            "scope",
            "isolated: must be true with take_back",
        ),
    ],
    "tp_sl": [
        ({"action": {"type": "close_tp", "trigger": 0}}, "action.trigger", "greater than 0"),
        ({"action": {"type": "close_tp", "trigger": -5}}, "action.trigger", "greater than 0"),
        ({"action": {"type": "close_sl", "trigger": 5}}, "action.trigger", "less than 0"),
        ({"action": {"type": "close_sl", "trigger": -100}}, "action.trigger", "greater than -100"),
        ({"action": {"type": "close_sl"}}, "action.trigger", "Required"),
        (moving(trigger="nan"), "action.trigger", "finite number"),
        (moving(price=0), "action.price", "greater than 0"),
        (moving(price="95000.3"), "action.price", "must be a multiple of 0.5"),
        (moving(price=None), "action.price", "Decimal"),
        ({**moving(), "scope": {"cross": True}}, "scope", "use close_sl or close_tp"),
        ({"action": {"type": "close"}}, "action.type", "close_sl, close_tp, update_sl, update_tp"),
    ],
    "auto_entry": [
        ({"side": "b"}, "side", "'long' or 'short'"),
        ({"quantity": 0}, "quantity", "greater than or equal to 1"),
        ({"quantity": 1.5}, "quantity", "integer"),
        ({"quantity": 500_001}, "quantity", "less than or equal to 500000"),
        ({"leverage": "0.9"}, "leverage", "greater than or equal to 1"),
        ({"leverage": 101}, "leverage", "less than or equal to 100"),
        ({"times": 0}, "times", "greater than or equal to 1"),
        ({"stop_loss": 1, "take_profit": 1}, "take_profit", "must be above the stop_loss of 1"),
        (
            {"side": "short", "stop_loss": 90_000, "take_profit": 95_000},
            "take_profit",
            "must be below the stop_loss of 90,000 for a short",
        ),
        (
            {"trigger_price": 80_000, "stop_loss": 80_000},
            "trigger_price",
            "stop_loss of 80,000 is not below the price of 80,000",
        ),
        (
            {"trigger_price": 80_000, "take_profit": 79_000},
            "trigger_price",
            "take_profit of 79,000 is not above the price of 80,000",
        ),
        (
            {"side": "short", "trigger_price": 80_000, "stop_loss": 79_000},
            "trigger_price",
            "stop_loss of 79,000 is not above the price of 80,000",
        ),
        (
            {"trigger_price": 80_000, "stop_loss": 70_000},
            "trigger_price",
            "opened at 80,000 it is liquidated before its stop_loss of 70,000",
        ),
        ({"market": "ethusd"}, "market", "'btcusd'"),
    ],
    "auto_invest": [
        ({"market": {"type": "otc"}}, "market.type", "Must be one of: spot, swap"),
        ({"market": {"type": "spot"}}, "market.symbol", "Required"),
        ({"market": {"type": "spot", "symbol": "btc"}}, "market.symbol", "match pattern"),
        ({"calendar": {"line": "monday"}}, "calendar.line", "five fields, such as `0 9 * * 1`"),
        ({"calendar": {"line": "0 25 * * *"}}, "calendar.line", "Bad hour"),
        ({"calendar": {"line": "0 9 30 2 *"}}, "calendar.line", "Bad day-of-month"),
        (
            {"calendar": {"line": "0 9 * * *", "zone": "Mars/Olympus"}},
            "calendar.zone",
            "name of a time zone, such as Europe/Berlin",
        ),
        ({"calendar": "daily"}, "calendar", "Must be an object with these keys: line, zone"),
        ({"amount": 0}, "amount", "greater than 0"),
        ({"amount": "0.001"}, "amount", "2 decimal places"),
        ({"max_total_amount": "24.99"}, "max_total_amount", "at least the amount of 25"),
        ({"missed": "twice"}, "missed", "'make_up' or 'skip'"),
    ],
    "rebalancing": [
        ({"weights": {"BTC": 50, "USD": 49}}, "weights", "must add up to 100, not 99"),
        ({"weights": {"BTC": 50, "USD": "50.01"}}, "weights", "must add up to 100, not 100.01"),
        ({"weights": {"BTC": 100}}, "weights", "Must have 2 at least"),
        ({"weights": {"BTC": -50, "USD": 50}}, "weights.BTC", "greater than or equal to 0"),
        ({"weights": {"btc": 50, "USD": 50}}, "weights.btc", "match pattern"),
        ({"weights": {"BTC": 50, "ETH": 50}}, "weights", "must be of BTC and USD"),
        ({"weights": {"BTC": "NaN", "USD": 50}}, "weights.BTC", "finite number"),
        ({"quote": "EUR"}, "quote", "must be USD"),
        ({"drift": 0}, "drift", "greater than or equal to 0.1"),
        ({"min_trade": 0}, "min_trade", "greater than 0"),
        ({"calendar": {"line": "0 9 * * *", "zone": "CEST"}}, "calendar.zone", "time zone"),
        ({"require_confirmation": "yes"}, "require_confirmation", "boolean"),
    ],
    "trigger_order": [
        ({"conditions": []}, "conditions", "Must have 1 at least"),
        ({"conditions": {}}, "conditions", "Must be a list"),
        (when(type="weather"), "conditions.0.type", "funding, margin_used, pnl, price, time"),
        (when(type="price"), "conditions.0", "at_or_above, at_or_below: give exactly one"),
        (
            when(type="price", at_or_above=1, at_or_below=2),
            "conditions.0",
            "at_or_above, at_or_below: give exactly one",
        ),
        (when(type="price", at_or_above="1.2"), "conditions.0.at_or_above", "multiple of 0.5"),
        (when(type="pnl", at_or_below=-100), "conditions.0.at_or_below", "greater than -100"),
        (when(type="margin_used", at_or_above=2), "conditions.0.at_or_above", "equal to 1"),
        (when(type="funding", at_or_above=11), "conditions.0.at_or_above", "equal to 10"),
        (when(type="pnl", at_or_above=5, scope={"x": 1}), "conditions.0.scope.x", "Unknown key"),
        (when(type="time", at="2026-11-20T12:00:00Z"), "conditions.0.at", "must be in the future"),
        (when(type="time", at="2026-11-21T12:00:00"), "conditions.0.at", "timezone"),
        (when(type="time", at="soon"), "conditions.0.at", "datetime"),
        ({"when": "some"}, "when", "'all' or 'any'"),
        ({"order": {"type": "cross", "side": "long"}}, "order.quantity", "Required"),
        (
            {"order": {"type": "buy", "market": {"type": "otc"}, "amount": 5}},
            "order.market.type",
            "Must be one of: spot, swap",
        ),
        (
            {"order": {**TRIGGER["order"], "stop_loss": 120_000}},
            "order",
            "stop_loss of 120,000 is not below the price of 120,000",
        ),
    ],
}


def errors(kind, config):
    with pytest.raises(ValidationError) as refusal:
        KINDS[kind].parse(config, now=NOW)
    return config_errors(refusal.value, kind=kind)


@pytest.mark.parametrize(
    ("kind", "changes", "field", "says"),
    [(kind, *case) for kind, cases in REFUSED.items() for case in cases],
    ids=lambda value: str(value)[:60],
)
def test_refused_configs(kind, changes, field, says):
    found = errors(kind, {**VALID[kind], **changes})
    assert list(found) == [f"config.{field}"]
    (sentence,) = found[f"config.{field}"]
    assert says in sentence


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_required_is_said(kind):
    required = KINDS[kind].config.model_json_schema()["required"]
    assert errors(kind, {}) == {f"config.{name}": ["Required."] for name in required}


@pytest.mark.parametrize("kind", KINDS)
def test_a_date_that_has_passed_does_not_break_what_was_stored(kind):
    passed = when(type="time", at="2020-01-01T00:00:00Z") if kind == "trigger_order" else {}
    assert KINDS[kind].parse({**VALID[kind], **passed})


def all_valid():
    templates = [(each.kind, dict(each.config)) for each in TEMPLATES.values()]
    return [*VALID.items(), ("rebalancing", SPOT), *templates]


@pytest.mark.parametrize(("kind", "config"), all_valid())
def test_configs_come_back_from_json_as_they_went(kind, config):
    parsed = KINDS[kind].parse(config, now=NOW)
    stored = parsed.model_dump(mode="json")
    assert KINDS[kind].parse(stored) == parsed
    assert KINDS[kind].config.model_validate_json(parsed.model_dump_json()) == parsed


def test_every_kind_has_a_template():
    assert {each.kind for each in TEMPLATES.values()} == set(KINDS)
