"""Automations of the old system: what becomes of each row, on which account, and only once."""

import json
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Event, User
from accounts.services import activate_account, connect_account
from automations.importing.conversion import convert, rate
from automations.importing.ids import imported_id
from automations.importing.rows import Refused, Row
from automations.models import Automation
from automations.rules.registry import kind_of

HUNDREDS = frozenset({rate(price=Decimal(100_000), leverage=Decimal(10))})
GUARD = {"action": "close_position", "margin_threshold": 0.9}
ENTRY = {"side": "b", "quantity": 100}
CELL = '"{""side"": ""b"", ""quantity"": 100}"'
TAKE = {"action": "close_tp", "trigger_pnl_percentage": 5_000}


def row(kind, config, old_id="old-1"):
    return Row(old_id, "u1", kind, "", config, is_active=True, account="")


@pytest.mark.parametrize(
    ("kind", "config", "becomes", "changes"),
    [
        pytest.param(
            "margin_guard",
            GUARD,
            {"threshold": Decimal("0.9"), "action": {"type": "close_position"}},
            "not of the exchange's ratio",
            id="close",
        ),
        pytest.param(
            "margin_guard",
            {"action": "reduce_position", "margin_threshold": "0.8", "reduce_percentage": 30},
            {"threshold": Decimal("0.8"), "action": {"type": "reduce_position", "percent": 30}},
            "margin used",
            id="reduce",
        ),
        pytest.param(
            "margin_guard",
            {"action": "add_margin", "margin_threshold": 0.8, "add_margin_amount": 10_000},
            {
                "threshold": Decimal("0.8"),
                "action": {
                    "type": "add_margin",
                    "amount": 10_000,
                    "max_per_position": 50_000,
                    "max_per_day": 50_000,
                },
            },
            "Caps of 50,000 sats",
            id="add, with caps",
        ),
        pytest.param(
            "tp_sl",
            TAKE,
            {"action": {"type": "close_tp", "trigger": 50}},
            "5000 % of the quantity is now +50.00 % of the margin",
            id="5,000 % of 10x at 100,000 is 50 % of the margin",
        ),
        pytest.param(
            "tp_sl",
            {"action": "close_sl", "trigger_pnl_percentage": 3_000},
            {"action": {"type": "close_sl", "trigger": -30}},
            "losses only",
            id="a stop acts on losses",
        ),
        pytest.param(
            "tp_sl",
            {"action": "update_sl", "trigger_pnl_percentage": 1_000, "new_stoploss": 101_000},
            {"action": {"type": "update_sl", "trigger": 10, "price": 101_000}},
            "once per crossing",
            id="move the stop on a gain",
        ),
        pytest.param(
            "tp_sl",
            {"action": "update_tp", "trigger_pnl_percentage": "1000", "new_takeprofit": "120000"},
            {"action": {"type": "update_tp", "trigger": 10, "price": 120_000}},
            "once per crossing",
            id="move the take profit",
        ),
        pytest.param(
            "auto_entry",
            ENTRY,
            {"side": "long", "quantity": 100},
            "",
            id="enter long, ten times by default",
        ),
        pytest.param(
            "auto_entry",
            {
                "side": "s", "quantity": "250", "leverage": 5, "stoploss": 110_000,
                "takeprofit": 80_000, "trigger_price": 100_000, "market": "btcusd",
                "trigger_type": "market",
            },
            {
                "side": "short", "quantity": 250, "leverage": 5, "stop_loss": 110_000,
                "take_profit": 80_000, "trigger_price": 100_000, "market": "btcusd",
                "trigger_type": "market",
            },
            "",
            id="enter short with everything",
        ),
        pytest.param(
            "margin_guard",
            {**GUARD, "mood": "good"},
            {"threshold": Decimal("0.9"), "action": {"type": "close_position"}},
            "Left out, since nobody knows what it means: mood.",
            id="a key nobody knows",
        ),
    ],
)  # fmt: skip
def test_what_becomes_of_a_config(kind, config, becomes, changes):
    converted = convert(row(kind, config), lambda: HUNDREDS)
    assert (converted.kind, converted.config) == (kind, becomes)
    assert bool(converted.changes) == bool(changes)
    assert changes in " ".join(converted.changes)
    kind_of(kind).parse(converted.config)


@pytest.mark.parametrize(
    ("kind", "config", "rates", "why"),
    [
        ("margin_guard", {"action": "close_position"}, HUNDREDS, "no margin_threshold"),
        ("margin_guard", {**GUARD, "action": "pray"}, HUNDREDS,
         "'pray': it must be one of close_position, reduce_position, add_margin"),
        ("margin_guard", {"margin_threshold": 0.9}, HUNDREDS, "no action: it must be one of"),
        ("margin_guard", {**GUARD, "margin_threshold": "high"}, HUNDREDS, "must be a number"),
        ("margin_guard", {**GUARD, "margin_threshold": "NaN"}, HUNDREDS, "must be a number"),
        ("margin_guard", {**GUARD, "margin_threshold": True}, HUNDREDS, "must be a number"),
        ("margin_guard", {**GUARD, "action": "reduce_position"}, HUNDREDS, "reduce_percentage"),
        ("margin_guard", {**GUARD, "action": "add_margin", "add_margin_amount": 1.5}, HUNDREDS,
         "whole number"),
        ("tp_sl", {"action": "close_tp"}, HUNDREDS, "no trigger_pnl_percentage, so it never did"),
        ("tp_sl", {**TAKE, "action": "sell"}, HUNDREDS,
         "'sell': it must be one of close_tp, close_sl, update_tp, update_sl"),
        ("tp_sl", {**TAKE, "action": "update_sl"}, HUNDREDS, "no new_stoploss"),
        ("tp_sl", TAKE, frozenset(), "no trade runs that tells"),
        ("tp_sl", TAKE, frozenset({Decimal("0.01"), Decimal("0.02")}), "50.00 %, 100.00 %"),
        ("tp_sl", {**TAKE, "trigger_pnl_percentage": 0.1}, HUNDREDS, "less than 0.01 %"),
        ("auto_entry", {"quantity": 1}, HUNDREDS, "it must be b or s"),
        ("auto_entry", {**ENTRY, "side": "x"}, HUNDREDS, "it must be b or s"),
        ("auto_entry", {"side": "b"}, HUNDREDS, "no quantity"),
        ("auto_entry", {**ENTRY, "entry_price": 90_000}, HUNDREDS,
         "Nobody knows what entry_price means to its entry. Known are .*trigger_price"),
        ("auto_invest", {}, HUNDREDS, "make it anew, from a template"),
    ],
)  # fmt: skip
def test_what_is_not_certain_is_refused(kind, config, rates, why):
    with pytest.raises(Refused, match=why):
        convert(row(kind, config), lambda: rates)


@pytest.mark.parametrize(
    ("config", "is_said"), [(ENTRY, True), ({**ENTRY, "trigger_price": 90_000}, False)], ids=str
)
def test_an_entry_at_once_is_said(config, is_said):
    notes = " ".join(convert(row("auto_entry", config), lambda: HUNDREDS).notes)
    assert ("it enters as soon as it is active" in notes) == is_said


@pytest.fixture
def export(tmp_path):
    """Write rows as the old system exported them."""

    def write(*rows, name="export.json"):
        path = tmp_path / name
        path.write_text(rows[0] if isinstance(rows[0], str) else json.dumps(rows))
        return path

    return write


def old(kind, config, old_id="old-1", **fields):
    return {
        "id": old_id,
        "user_id": "u1",
        "type": kind,
        "config": config,
        "is_active": True,
    } | fields


def take_over(path, *options, user="trader"):
    said = StringIO()
    call_command("import_automations", str(path), "--user", user, *options, stdout=said)
    return said.getvalue()


def imported(user, old_id="old-1"):
    return Automation.objects.filter(pk=imported_id(user.pk, old_id)).first()


class TestTheCommand:
    def test_it_says_what_became_of_each_row(self, guarded, export):
        path = export(
            old("margin_guard", GUARD, "a", name="My guard"),
            old("tp_sl", TAKE, "b"),
            old("auto_entry", ENTRY, "c"),
            old("rebalancing", {}, "d"),
            old("margin_guard", {**GUARD, "margin_threshold": 90}, "e"),
        )
        said = take_over(path)
        assert "a (margin_guard): converted." in said
        assert "b (tp_sl): converted. The trigger of 5000 % of the quantity is now +50.00 %" in said
        assert "c (auto_entry): migrated. It enters once" in said
        assert "d (rebalancing): refused." in said
        assert "e (margin_guard): refused. config.threshold: " in said
        assert "1 migrated, 2 converted, 2 refused, 0 already there." in said
        assert imported(guarded.user, "a").name == "My guard"
        assert imported(guarded.user, "e") is None
        assert Event.objects.filter(kind="automations_imported", user=guarded.user).count() == 1

    def test_they_are_bound_to_the_active_account_and_paused(self, guarded, export):
        take_over(export(old("auto_entry", ENTRY)))
        found = imported(guarded.user)
        assert (found.user, found.account) == (guarded.user, guarded.account)
        assert not found.is_active

    @pytest.mark.parametrize("was_active", [True, False])
    def test_on_demand_those_that_were_active_start(self, guarded, export, was_active):
        take_over(export(old("auto_entry", ENTRY, is_active=was_active)), "--activate")
        assert imported(guarded.user).is_active == was_active

    def test_a_second_time_changes_nothing(self, guarded, export):
        path = export(old("auto_entry", ENTRY))
        take_over(path)
        Automation.objects.filter(kind="auto_entry").update(name="mine now")
        assert "0 migrated, 0 converted, 0 refused, 1 already there." in take_over(path)
        assert imported(guarded.user).name == "mine now"

    def test_what_is_there_is_not_converted_again(self, guarded, export):
        take_over(export(old("tp_sl", TAKE)))
        guarded.paper.control.fault("fail_before", times=20)
        assert "0 refused, 1 already there." in take_over(export(old("tp_sl", TAKE)))
        assert "1 already there." in take_over(export(old("rebalancing", {})))

    def test_an_id_that_comes_twice_in_a_file(self, guarded, export):
        said = take_over(export(old("auto_entry", ENTRY), old("margin_guard", GUARD)))
        assert "1 migrated, 0 converted, 0 refused, 1 already there." in said
        assert imported(guarded.user).kind == "auto_entry"

    def test_a_dry_run_says_the_same_and_saves_nothing(self, guarded, export):
        path = export(old("auto_entry", ENTRY))
        before = Event.objects.count()
        said = take_over(path, "--dry-run")
        assert said.startswith(take_over(path, "--dry-run").rpartition("Nothing")[0])
        assert "1 migrated" in said
        assert "Nothing was changed" in said
        assert (imported(guarded.user), Event.objects.count()) == (None, before)

    def test_a_given_price_says_what_an_old_percentage_was(self, guarded, export):
        take_over(export(old("tp_sl", TAKE)), "--price", "50000", "--leverage", "4")
        assert imported(guarded.user).config["action"]["trigger"] == "10.00"

    def test_trades_that_do_not_agree_tell_nothing(self, guarded, export):
        guarded.paper.control.open_trade(
            guarded.paper_account.id, side="buy", leverage=50, quantity=100
        )
        said = take_over(export(old("tp_sl", TAKE)))
        assert "refused. Its P&L was of the quantity, which is 50.00 %, 250.00 %" in said

    def test_trades_that_cannot_be_read_are_not_no_trades(self, guarded, export):
        guarded.paper.control.fault("fail_before", times=20)
        said = take_over(export(old("tp_sl", TAKE), old("auto_entry", ENTRY, "c")))
        assert "refused. The trades of account main cannot be read" in said
        assert "c (auto_entry): migrated" in said

    @pytest.mark.parametrize(
        ("fields", "options", "says"),
        [
            ({}, (), "On account main."),
            ({"user_exchange_account_id": "acc1"}, (), "Its account acc1 is not there"),
            ({"user_exchange_account_id": "acc1"}, ("--account", "main"), "On account main."),
            ({"account_name": "second"}, (), "On account second."),
            ({"user_exchange_account": {"account_name": "second"}}, ("--account", "main"),
             "On account second."),
            ({"account_name": "third"}, (), "Its account third is not there"),
        ],
        ids=str,
    )  # fmt: skip
    def test_on_which_account(self, guarded, export, fields, options, says):
        credentials = guarded.paper.control.create_account(balance=1).credentials
        connect_account(
            user=guarded.user,
            exchange=guarded.account.exchange,
            name="second",
            credentials=credentials,
            by=guarded.user,
        )
        activate_account(account=guarded.account, by=guarded.user)
        assert says in take_over(export(old("auto_entry", ENTRY, **fields)), *options)

    def test_without_an_active_account(self, db, export):
        User.objects.create_user("newcomer")
        said = take_over(export(old("auto_entry", ENTRY)), user="newcomer")
        assert "none is active: name one by --account" in said

    def test_two_users_with_one_export_get_their_own(self, guarded, export):
        path = export(old("auto_entry", ENTRY, "a"), old("auto_entry", ENTRY, "b", user_id="u2"))
        with pytest.raises(CommandError, match="several users: u1, u2"):
            take_over(path)
        take_over(path, "--old-user", "u2")
        assert imported(guarded.user, "a") is None
        assert imported(guarded.user, "b")

    @pytest.mark.parametrize(
        "text",
        [
            f"id,user_id,type,is_active,config\nold-1,u1,auto_entry,true,{CELL}\n",
            "id,user_id,type,is_active,side,quantity,stoploss\nold-1,u1,auto_entry,t,b,100,\n",
        ],
        ids=["config as JSON", "config in columns"],
    )
    def test_a_csv(self, guarded, export, text):
        take_over(export(text, name="export.csv"), "--activate")
        found = imported(guarded.user)
        assert (found.config["side"], found.config["quantity"]) == ("long", 100)
        assert found.is_active

    @pytest.mark.parametrize(
        ("text", "name", "says"),
        [
            ("{", "x.json", "not JSON"),
            ("5", "x.json", "list of automations"),
            ('[{"id": "a"}]', "x.json", "Row 1 is no automation"),
            ('[{"id": "a", "type": "tp_sl", "config": 5}]', "x.json", "Row 1: its `config`"),
            ('[{"id": "a", "type": "tp_sl", "config": {}, "is_active": "maybe"}]', "x.json",
             "`is_active` must be true or false"),
            ("id,type,config\na,tp_sl,{\n", "x.csv", "is not JSON"),
        ],
        ids=str,
    )  # fmt: skip
    def test_a_file_that_is_no_export(self, guarded, export, text, name, says):
        with pytest.raises(CommandError, match=says):
            take_over(export(text, name=name))
        assert Automation.objects.count() == 1

    @pytest.mark.parametrize(
        ("options", "says"),
        [
            (("--user", "nobody"), "no user nobody"),
            (("--account", "other"), "no connected account other"),
            (("--price", "100000"), "together"),
            (("--price", "0", "--leverage", "1"), "above 0"),
            (("--price", "NaN", "--leverage", "1"), "above 0"),
        ],
        ids=str,
    )
    def test_bad_options(self, guarded, export, options, says):
        with pytest.raises(CommandError, match=says):
            take_over(export(old("auto_entry", ENTRY)), *options)

    def test_a_file_that_is_not_there(self, guarded, tmp_path):
        with pytest.raises(
            CommandError, match=r"json cannot be read: No such file or directory\.$"
        ):
            take_over(tmp_path / "nothing.json")

    def test_a_file_that_is_no_text(self, guarded, tmp_path):
        path = tmp_path / "export.json"
        path.write_bytes(b"\xff\xfe\x00")
        with pytest.raises(CommandError, match="cannot be read: it is not UTF-8 text"):
            take_over(path)
