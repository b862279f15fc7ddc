"""The errors by which AWS FIS refuses a call."""


class FisError(Exception):
    """A call is refused, with AWS's code."""

    def __init__(self, code: str, message: str, status: int) -> None:
        """Keep code and status beside the message."""
        super().__init__(message)
        self.code, self.status = code, status


def invalid(message: str) -> FisError:
    """Return the error of a call that is wrong, or not possible now."""
    return FisError("ValidationException", message, 400)


def missing(what: str, id_: str) -> FisError:
    """Return the error of a call about what does not exist."""
    return FisError("ResourceNotFoundException", f"{what} with id {id_} not found", 404)
