"""Use `StrEnum`s as fields of Pydantic models without a component of their own in OpenAPI."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator

Enumeration = TypeVar("Enumeration", bound=StrEnum)

if TYPE_CHECKING:
    InlineEnum = Annotated[Enumeration, None]
else:

    class InlineEnum:
        """`InlineEnum[Status]` holds a `Status`; OpenAPI and error messages list its values like a `Literal`'s."""

        def __class_getitem__(cls, enumeration: type[StrEnum]) -> Any:
            return Annotated[Literal[*map(str, enumeration)], AfterValidator(enumeration)]
