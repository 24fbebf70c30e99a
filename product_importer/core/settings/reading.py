"""Read settings from the environment, and explain values that are invalid."""

from ipaddress import ip_address
from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

Model = TypeVar("Model", bound=BaseSettings)


def read(model: type[Model]) -> Model:
    """Return the settings of a model.

    Raises:
        SystemExit: values are invalid; the message has one line for each, with the variable and the reason.
    """
    try:
        return model()
    except ValidationError as error:
        raise SystemExit("\n".join(_explain(item) for item in error.errors())) from None


def _explain(item) -> str:  # type: ignore[no-untyped-def]
    reason = item["msg"].removeprefix("Value error, ")
    if not item["loc"]:
        # A rule about several variables, which names them.
        return f"product-importer: {reason}"
    variable = str(item["loc"][0]).upper()
    # A URL may hold a password.
    given = "" if variable.endswith(("_URL", "_KEY", "_SECRET", "_TOKEN")) else f" (got {item['input']!r})"
    return f"product-importer: {variable}: {reason}{given}"


def is_loopback(host: str) -> bool:
    """Whether a name or an address, without brackets, is that of this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
