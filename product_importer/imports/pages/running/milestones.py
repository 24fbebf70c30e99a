"""What screen readers are told of imports: four steps of each, once, and nothing between."""

from dataclasses import dataclass, field

from product_importer.imports.models import FINAL
from product_importer.imports.pages import result_words
from product_importer.imports.schemas import ImportRead

STEPS = (25, 50, 75)
END = 100


@dataclass
class Milestones:
    """The imports that were seen while they were active, and the last step of each that was told."""

    told: dict[str, int] = field(default_factory=dict)

    def take(self, job: ImportRead) -> str:
        """Return what to tell of an import now; empty where there is nothing new."""
        known, step = self.told.get(str(job.id)), _step(job)
        if known is None:
            # What happened before it was first seen is no news.
            if job.status not in FINAL:
                self.told[str(job.id)] = step
            return ""
        if step <= known:
            return ""
        self.told[str(job.id)] = step
        return _words(job, step)

    def gone(self, active: list[ImportRead]) -> list[str]:
        """Return the ids of those that were active and are no longer."""
        return list(self.told.keys() - {str(job.id) for job in active})

    def forget(self, job_id: str) -> None:
        """Forget an import that has ended: it may be started again."""
        self.told.pop(job_id, None)


def step_of(job: ImportRead) -> tuple[str, int]:
    """Return an import's id, and which step it has reached."""
    return str(job.id), _step(job)


def _step(job: ImportRead) -> int:
    if job.status in FINAL:
        return END
    return max((step for step in STEPS if job.percent >= step), default=0)


def _words(job: ImportRead, step: int) -> str:
    if step < END:
        return f"{job.filename}: {step} %"
    # An import that failed or was cancelled has not reached its end.
    reached = f"{END} %. " if job.percent >= END else ""
    return f"{job.filename}: {reached}{result_words.result(job)}"
