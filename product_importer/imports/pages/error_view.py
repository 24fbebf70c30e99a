"""The view model of an error that an action on an import met."""

from dataclasses import dataclass, field
from typing import Self

from product_importer.core.errors import DomainError


@dataclass(frozen=True)
class ErrorView:
    """An error, with example SKUs and the address of the import that it is about."""

    title: str = ""
    detail: str = ""
    examples: list[str] = field(default_factory=list)
    import_address: str = ""
    tone: str = "bad"

    @classmethod
    def of(cls, error: DomainError) -> Self:
        """Return `error` as the page shows it."""
        job_id = error.extra.get("job_id")
        return cls(
            error.title,
            error.detail,
            examples=[str(example) for example in error.extra.get("examples") or ()],
            import_address=f"/imports/{job_id}" if job_id else "",
        )
