"""What lists of the API share: the query says which part is wanted, and is strict."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from accounts.strict import StrictSerializer


class ListQuery(StrictSerializer):
    """The query of a list: which part of it is wanted, and in subclasses what it is filtered by."""

    limit = serializers.IntegerField(min_value=1, required=False)
    offset = serializers.IntegerField(min_value=0, required=False)

    @classmethod
    def filters_of(cls, request: Request) -> dict[str, Any]:
        """The filters alone; what is unknown or malformed is a 400."""
        query = cls(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        paging = ListQuery().fields
        return {name: value for name, value in query.validated_data.items() if name not in paging}
