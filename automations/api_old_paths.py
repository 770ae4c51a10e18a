"""The old system's addresses for executing, with its names and shapes; the rest of it is new.

An id may be one of ours, or the one that the automation had before it was imported.
"""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import OwnedRequest
from accounts.api_queries import ListQuery
from accounts.strict import StrictSerializer
from automations import manual, narrowing, selectors
from automations.api import patience
from automations.importing.ids import id_of
from automations.models import Automation, Execution
from automations.reading import utc_now
from automations.rules.registry import KINDS

TYPES = {"auto-invest": "auto_invest", "rebalancing": "rebalancing", "triggers": "trigger_order"}
CLOSES = {"close_tp": "close_position", "close_sl": "close_position"}
LOGS = 100
MOST_LOGS = 1_000


class ResultOut(serializers.Serializer[Any]):
    """The result of an execution, as the old system gave it."""

    status = serializers.ChoiceField(Execution.Status.choices)
    action = serializers.CharField()
    timestamp = serializers.DateTimeField()
    automationId = serializers.UUIDField()  # noqa: N815
    userId = serializers.CharField()  # noqa: N815
    accountId = serializers.UUIDField()  # noqa: N815
    accountName = serializers.CharField()  # noqa: N815
    tradeId = serializers.CharField(allow_null=True)  # noqa: N815
    result = serializers.DictField()


ANSWER = inline_serializer(
    "SchedulerAnswer",
    {"success": serializers.BooleanField(), "data": ResultOut(many=True)},
)
"""How the scheduler's addresses answered."""


class ExecuteIn(StrictSerializer):
    """What to run; `action` and `tradeId` narrow what it may do."""

    userId = serializers.CharField()  # noqa: N815
    automationId = serializers.CharField()  # noqa: N815
    action = serializers.CharField(default="", allow_blank=True)
    tradeId = serializers.CharField(default="", allow_blank=True, max_length=64)  # noqa: N815


class SchedulerIn(StrictSerializer):
    """Of which type, and which one; without `ruleId` all of the type."""

    type = serializers.ChoiceField(sorted(TYPES))
    ruleId = serializers.CharField(required=False)  # noqa: N815
    clientId = serializers.CharField(required=False)  # noqa: N815


class LogsQuery(ListQuery):
    """Whose executions, and of which kind."""

    clientId = serializers.CharField(required=False)  # noqa: N815
    automationType = serializers.CharField(required=False)  # noqa: N815

    def validate_automationType(self, value: str) -> str:  # noqa: N802
        """Take `auto_invest`, `auto-invest` and `AutoInvest` for the same."""
        for kind in KINDS:
            if kind.replace("_", "") == value.lower().replace("_", "").replace("-", ""):
                return kind
        raise serializers.ValidationError(f"Must be one of: {', '.join(KINDS)}.")


class ExecuteView(APIView):
    """`POST /api/automation/execute`."""

    request: OwnedRequest
    permission_classes = (IsAuthenticated,)

    @extend_schema(request=ExecuteIn, responses={202: ResultOut})
    def post(self, request: Request) -> Response:
        """Run an automation once, now; its execution tells later what became of it."""
        given = _checked(ExecuteIn, request.data)
        _require_self(self.request, given["userId"])
        automation = _own(self.request, given["automationId"])
        action = _narrowing_of(given["action"], automation)
        with patience():
            slot = manual.run_now(
                automation, by=self.request.user, only_action=action, only_trade=given["tradeId"]
            )
        return Response(_pending(automation, slot, action, given["tradeId"]), status=202)


class SchedulerExecuteView(APIView):
    """`POST /api/automation/scheduler/execute`."""

    request: OwnedRequest
    permission_classes = (IsAuthenticated,)

    @extend_schema(request=SchedulerIn, responses={202: ANSWER})
    def post(self, request: Request) -> Response:
        """Run one automation of a type, or all of it, as all trigger orders of a client."""
        given, user = _checked(SchedulerIn, request.data), self.request.user
        _require_self(self.request, given.get("clientId"))
        kind = TYPES[given["type"]]
        with patience():
            if "ruleId" in given:
                automation = _own(self.request, given["ruleId"], kind=kind)
                slots = {automation: manual.run_now(automation, by=user)}
            else:
                slots = manual.run_all(kind, user=user, by=user)
        data = [_pending(automation, slot) for automation, slot in slots.items()]
        return Response({"success": True, "data": data}, status=202)


class ExecutionLogsView(APIView):
    """`GET /api/automation/execution-logs`."""

    request: OwnedRequest
    permission_classes = (IsAuthenticated,)

    @extend_schema(parameters=[LogsQuery], responses=ANSWER)
    def get(self, request: Request) -> Response:
        """The user's executions, newest first: 100 unless `limit` says otherwise, 1,000 at most."""
        given = _checked(LogsQuery, request.query_params.dict())
        _require_self(self.request, given.get("clientId"))
        executions = selectors.executions_of(self.request.user.pk).select_related("automation")
        if "automationType" in given:
            executions = executions.filter(automation__kind=given["automationType"])
        first = given.get("offset", 0)
        found = executions.prefetch_related("intents")[
            first : first + min(given.get("limit", LOGS), MOST_LOGS)
        ]
        return Response({"success": True, "data": [_result(each) for each in found]})


def _checked(serializer: type[StrictSerializer], data: Any) -> dict[str, Any]:
    given = serializer(data=data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


def _require_self(request: OwnedRequest, user_id: str | None) -> None:
    """Another user's id is a 404, whether there is such a user or not."""
    if user_id is not None and user_id != str(request.user.pk):
        raise NotFound(f"There is no user {user_id}.")


def _own(request: OwnedRequest, given: str, **filters: str) -> Automation:
    meant: UUID = id_of(request.user.pk, given)
    found = selectors.automations_of(request.user.pk).filter(pk=meant, **filters).first()
    if found is None:
        raise NotFound(f"There is no automation {given}.")
    return found


def _narrowing_of(action: str, automation: Automation) -> str:
    """The old system also sent the kind, or its event, which narrows nothing."""
    if action in ("", automation.kind, KINDS[automation.kind].event):
        return ""
    meant = CLOSES.get(action, action)
    if meant not in narrowing.ACTIONS:
        allowed = ", ".join([automation.kind, *narrowing.ACTIONS])
        raise serializers.ValidationError({"action": [f"Must be one of: {allowed}."]})
    return meant


def _pending(
    automation: Automation, slot: str, action: str = "", trade_id: str = ""
) -> dict[str, Any]:
    return {
        "status": Execution.Status.PENDING,
        "action": action or KINDS[automation.kind].event,
        "timestamp": utc_now(),
        "automationId": automation.id,
        "userId": str(automation.user_id),
        "accountId": automation.account_id,
        "accountName": automation.account.name,
        "tradeId": trade_id or None,
        "result": {"slot": slot},
    }


def _result(execution: Execution) -> dict[str, Any]:
    return {
        "status": execution.status,
        "action": execution.action or execution.event,
        "timestamp": execution.finished_at or execution.started_at,
        "automationId": execution.automation_id,
        "userId": str(execution.automation.user_id),
        "accountId": execution.account_id,
        "accountName": execution.account_name,
        "tradeId": execution.trade_id or None,
        "result": {
            "slot": execution.slot,
            "reason": execution.reason_code,
            "detail": execution.reason_text,
            "error": execution.error,
            "actions": [
                {**intent.action, "status": intent.state} for intent in execution.intents.all()
            ],
        },
    }
