"""How the exchange says no."""


class Refusal(Exception):
    """An answer other than success: HTTP `status`, machine-readable `code`, and a sentence."""

    def __init__(self, message: str, *, status: int = 400, code: str = "BAD_REQUEST") -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code


class Unauthorized(Refusal):
    """The request is not signed as it must be."""

    def __init__(self, message: str) -> None:
        super().__init__(message, status=401, code="UNAUTHORIZED")


class NotFound(Refusal):
    """What the control API was asked about does not exist."""

    def __init__(self, message: str) -> None:
        super().__init__(message, status=404, code="NOT_FOUND")
