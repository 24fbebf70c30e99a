"""The view model of an error that an action on an import met."""

from dataclasses import dataclass, field
from typing import Self

from product_importer.core.errors import DomainError
from product_importer.core.problem_types import ProblemType

# Where on the page an error can be fixed, by the error's kind: its own text is for REST clients, too.
HINTS = {ProblemType.NOT_TEXT: "On this page: choose the encoding under Options, then import the file again."}


@dataclass(frozen=True)
class ErrorView:
    """An error, with example SKUs, the address of the import that it is about, and a hint."""

    title: str = ""
    detail: str = ""
    examples: list[str] = field(default_factory=list)
    import_address: str = ""
    tone: str = "bad"
    hint: str = ""

    @classmethod
    def of(cls, error: DomainError) -> Self:
        """Return `error` as the page shows it."""
        job_id = error.extra.get("job_id")
        return cls(
            error.title,
            error.detail,
            examples=[str(example) for example in error.extra.get("examples") or ()],
            import_address=f"/imports/{job_id}" if job_id else "",
            # The likely encodings are shown to choose from.
            hint="" if error.extra.get("encodings") else HINTS.get(error.kind, ""),
        )
