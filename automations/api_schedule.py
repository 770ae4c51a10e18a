"""The schedule over HTTP: how it stands, and starting and stopping it at every level."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.permissions import IsAdminUser, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import OwnedRequest
from accounts.selectors import get_account
from accounts.strict import NoInput, StrictSerializer
from automations import pausing, selectors, status
from automations.models import Automation, Skip
from automations.pausing import NotYours


class PauseOut(serializers.Serializer[Any]):
    """At which level something rests, why, by whom and since when."""

    level = serializers.ChoiceField([each.value for each in pausing.Level])
    reason = serializers.CharField()
    by = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)


class SkipOut(serializers.ModelSerializer[Skip]):
    """How many ticks were left out for a reason, and the last of them."""

    means = serializers.CharField(source="get_why_display")

    class Meta:
        model = Skip
        fields = ("why", "means", "count", "last_slot", "last_at")


class LastOut(serializers.Serializer[Any]):
    """The last execution, in short."""

    slot = serializers.CharField()
    status = serializers.CharField()
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class OfAutomationOut(serializers.Serializer[Any]):
    """One automation on its schedule; times in UTC, `period` in seconds."""

    id = serializers.UUIDField(source="automation.id")
    name = serializers.CharField(source="automation.name")
    kind = serializers.CharField(source="automation.kind")
    account = serializers.UUIDField(source="automation.account_id")
    account_name = serializers.CharField(source="automation.account.name")
    is_running = serializers.BooleanField()
    paused = PauseOut(many=True)
    period = serializers.IntegerField(source="automation.period")
    next_due_at = serializers.DateTimeField(allow_null=True)
    last_looked_at = serializers.DateTimeField(source="automation.checked_at", allow_null=True)
    last_slot = serializers.CharField(source="automation.last_slot")
    lateness_ms = serializers.IntegerField(
        source="automation.lateness_ms",
        allow_null=True,
        help_text="How long after its time the last tick was looked at.",
    )
    reason = serializers.CharField(source="automation.reason_text")
    last_execution = LastOut(allow_null=True)
    skipped = SkipOut(source="skips", many=True)


class OfManyOut(serializers.Serializer[Any]):
    """The schedule of an account, or of the user's active one; `message` says it in words."""

    is_active = serializers.BooleanField()
    message = serializers.CharField()
    account = serializers.UUIDField(source="account.id", allow_null=True, default=None)
    account_name = serializers.CharField(source="account.name", allow_null=True, default=None)
    paused = PauseOut(many=True)
    automations = OfAutomationOut(many=True)


class OfSchedulerOut(serializers.Serializer[Any]):
    """The scheduler as a whole."""

    is_running = serializers.BooleanField()
    message = serializers.CharField()
    paused = PauseOut(many=True)
    last_tick_at = serializers.DateTimeField(allow_null=True)
    entries = serializers.IntegerField(allow_null=True)
    behind = serializers.IntegerField()


class ReasonIn(StrictSerializer):
    """Why it is to rest, for whoever asks later."""

    reason = serializers.CharField(max_length=200)


class AutomationScheduleView(APIView):
    """One of the user's automations on its schedule."""

    request: OwnedRequest
    permission_classes = (IsAuthenticated,)

    @extend_schema(responses=OfAutomationOut)
    def get(self, request: Request, automation: UUID) -> Response:
        """Whether it runs, when it is due next, how late it was, what was left out and why."""
        return self._shown(automation)

    def _own(self, automation: UUID) -> Automation:
        own = selectors.automations_of(self.request.user.pk).select_related("account__user", "user")
        found = own.filter(pk=automation).first()
        if found is None:
            raise NotFound(f"There is no automation {automation}.")
        return found

    def _shown(self, automation: UUID) -> Response:
        own = selectors.automations_of(self.request.user.pk).filter(pk=automation)
        found = status.of_automations(own)
        if not found:
            raise NotFound(f"There is no automation {automation}.")
        return Response(OfAutomationOut(found[0]).data)


class AutomationPauseView(AutomationScheduleView):
    """Lets one automation rest."""

    http_method_names = ("post", "options")

    @extend_schema(request=ReasonIn, responses=OfAutomationOut)
    def post(self, request: Request, automation: UUID) -> Response:
        """Pause it, and say why; pausing twice changes nothing."""
        found, reason = self._own(automation), _reason(request)
        pausing.pause(found, by=self.request.user, reason=reason)
        return self._shown(automation)


class AutomationResumeView(AutomationScheduleView):
    """Lets one automation run again."""

    http_method_names = ("post", "options")

    @extend_schema(request=None, responses=OfAutomationOut)
    def post(self, request: Request, automation: UUID) -> Response:
        """Resume it; a 400 says what stands against it."""
        NoInput(data=request.data).is_valid(raise_exception=True)
        pausing.resume(self._own(automation), by=self.request.user)
        return self._shown(automation)


class AccountScheduleView(APIView):
    """What is scheduled on one of the user's accounts."""

    request: OwnedRequest
    permission_classes = (IsAuthenticated,)

    @extend_schema(responses=OfManyOut)
    def get(self, request: Request, account: UUID) -> Response:
        """Its automations, each with when it is due and how late it was."""
        return self._shown(account)

    def _shown(self, account: UUID) -> Response:
        own = get_account(user_id=self.request.user.pk, account_id=account)
        return Response(OfManyOut(status.of_account(own)).data)


class AccountPauseView(AccountScheduleView):
    """Lets everything on an account rest."""

    http_method_names = ("post", "options")

    @extend_schema(request=ReasonIn, responses=OfManyOut)
    def post(self, request: Request, account: UUID) -> Response:
        """Pause all that runs on it, and say why."""
        own = get_account(user_id=self.request.user.pk, account_id=account)
        pausing.pause_all(by=self.request.user, reason=_reason(request), account=own)
        return self._shown(account)


class AccountResumeView(AccountScheduleView):
    """Lets an account run again."""

    http_method_names = ("post", "options")

    @extend_schema(request=None, responses=OfManyOut)
    def post(self, request: Request, account: UUID) -> Response:
        """Resume it; a 400 says what stands against it."""
        NoInput(data=request.data).is_valid(raise_exception=True)
        own = get_account(user_id=self.request.user.pk, account_id=account)
        _resume(by=self.request.user, account=own)
        return self._shown(account)


class ScheduleView(APIView):
    """What is scheduled for the user."""

    request: OwnedRequest
    permission_classes = (IsAuthenticated,)

    @extend_schema(responses=OfManyOut)
    def get(self, request: Request) -> Response:
        """The automations of the active account, each with when it is due and how late it was."""
        return self._shown()

    def _shown(self) -> Response:
        return Response(OfManyOut(status.of_user(self.request.user)).data)


class ScheduleStopView(ScheduleView):
    """Stops scheduling for the user."""

    http_method_names = ("post", "options")

    @extend_schema(request=ReasonIn, responses=OfManyOut)
    def post(self, request: Request) -> Response:
        """Pause all automations of the user, and say why."""
        user = self.request.user
        pausing.pause_all(by=user, reason=_reason(request), user=user)
        return self._shown()


class ScheduleStartView(ScheduleView):
    """Starts scheduling for the user."""

    http_method_names = ("post", "options")

    @extend_schema(request=None, responses=OfManyOut)
    def post(self, request: Request) -> Response:
        """Resume; the answer says what is scheduled now, and if nothing is, why."""
        NoInput(data=request.data).is_valid(raise_exception=True)
        _resume(by=self.request.user, user=self.request.user)
        return self._shown()


class SchedulerView(APIView):
    """The scheduler as a whole, for operators."""

    request: OwnedRequest
    permission_classes = (IsAdminUser,)

    @extend_schema(responses=OfSchedulerOut)
    def get(self, request: Request) -> Response:
        """Whether it runs, and if not, why."""
        return self._shown()

    def _shown(self) -> Response:
        return Response(OfSchedulerOut(status.of_scheduler()).data)


class SchedulerStopView(SchedulerView):
    """Stops it for everybody."""

    http_method_names = ("post", "options")

    @extend_schema(request=ReasonIn, responses=OfSchedulerOut)
    def post(self, request: Request) -> Response:
        """Pause everything, and say why. Nothing guards any position until it is started again."""
        pausing.pause_all(by=self.request.user, reason=_reason(request))
        return self._shown()


class SchedulerStartView(SchedulerView):
    """Starts it again."""

    http_method_names = ("post", "options")

    @extend_schema(request=None, responses=OfSchedulerOut)
    def post(self, request: Request) -> Response:
        """Resume everything that nobody paused otherwise."""
        NoInput(data=request.data).is_valid(raise_exception=True)
        _resume(by=self.request.user)
        return self._shown()


def _reason(request: Request) -> str:
    given = ReasonIn(data=request.data)
    given.is_valid(raise_exception=True)
    return str(given.validated_data["reason"])


def _resume(**scope: Any) -> None:
    try:
        pausing.resume_all(**scope)
    except NotYours as error:
        raise PermissionDenied(str(error)) from None
