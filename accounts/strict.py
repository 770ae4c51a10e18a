"""Serializers that refuse what they do not know: nobody writes a field by guessing its name."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer for input, which answers 400 for a key that is not one of its fields.

    Fields that are only read count as unknown: sending them back does not silently do nothing.
    """

    def get_fields(self) -> dict[str, Any]:
        """Its fields, each of which says what may be chosen, where there is a choice."""
        fields = super().get_fields()
        for field in fields.values():
            if isinstance(field, serializers.ChoiceField):
                allowed = ", ".join(str(choice) for choice in field.choices)
                field.error_messages["invalid_choice"] = f"Must be one of: {allowed}."
        return fields

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            self._refuse_unknown(data)
        return super().to_internal_value(data)

    def _refuse_unknown(self, data: Mapping[str, Any]) -> None:
        known = sorted(name for name, field in self.fields.items() if not field.read_only)
        allowed = f"Allowed: {', '.join(known)}." if known else "Nothing may be sent here."
        unknown = {name: [f"Unknown field. {allowed}"] for name in data if name not in known}
        if unknown:
            raise serializers.ValidationError(unknown)


class NoInput(StrictSerializer):
    """The body of a request that takes none."""
