"""Who is asking, and what they have chosen for themselves."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import services
from accounts.api import OwnedRequest
from accounts.models import User
from accounts.strict import StrictSerializer
from accounts.zones import check_zone


class MeSerializer(serializers.ModelSerializer[User]):
    """A user, to themselves."""

    class Meta:
        model = User
        fields = ("id", "username", "time_zone")
        read_only_fields = fields


class MeInput(StrictSerializer):
    """What a user may choose."""

    time_zone = serializers.CharField(
        max_length=64, help_text="Of calendars that name none, such as Europe/Berlin."
    )

    def validate_time_zone(self, value: str) -> str:
        """Refuse what is no zone."""
        try:
            return check_zone(value)
        except ValueError as error:
            raise serializers.ValidationError(f"{error}.") from None


class MeView(APIView):
    """`/api/me/`."""

    request: OwnedRequest

    @extend_schema(responses=MeSerializer)
    def get(self, request: Request) -> Response:
        """The user whose token this is."""
        return Response(MeSerializer(self.request.user).data)

    @extend_schema(request=MeInput, responses=MeSerializer)
    def patch(self, request: Request) -> Response:
        """Choose the time zone of calendars that name none, from the next one that is written."""
        given = MeInput(data=request.data)
        given.is_valid(raise_exception=True)
        zone = given.validated_data["time_zone"]
        user = services.set_time_zone(user=self.request.user, zone=zone, by=self.request.user)
        return Response(MeSerializer(user).data)
