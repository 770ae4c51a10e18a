"""The credential cache's statistics over HTTP, for staff."""

import redis
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import cache


class CacheAway(APIException):
    """Redis does not answer: nothing is known, which is not the same as zero."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "The cache's Redis does not answer; credentials are read from the database."


class KindSerializer(serializers.Serializer[cache.Statistics]):
    """One kind of entry: counted in all processes since Redis was last empty."""

    hits = serializers.IntegerField()
    misses = serializers.IntegerField()
    evictions = serializers.IntegerField()
    entries = serializers.IntegerField()
    hit_rate = serializers.FloatField(allow_null=True, help_text="0 to 1.")


class StatisticsSerializer(serializers.Serializer[dict[cache.Kind, cache.Statistics]]):
    """Sealed credentials, and verdicts of their validation."""

    credentials = KindSerializer()
    validations = KindSerializer()


class CredentialCacheView(APIView):
    """GET `/api/credential-cache/`."""

    permission_classes = (IsAdminUser,)

    @extend_schema(responses=StatisticsSerializer)
    def get(self, request: Request) -> Response:
        """What the credential cache was asked for, and had; for staff."""
        try:
            found = cache.statistics()
        except redis.RedisError:
            raise CacheAway from None
        return Response(StatisticsSerializer(found).data)
