"""The result of an import in words, and the tone in which pages show it."""

from product_importer.imports.models import FINAL, ImportStatus, UndoStatus
from product_importer.imports.pages import action_words
from product_importer.imports.schemas import ImportRead

# While an import is not over, and where its end says nothing about its rows.
TONES = {
    ImportStatus.PENDING: "neutral",
    ImportStatus.PROCESSING: "busy",
    ImportStatus.FAILED: "bad",
    ImportStatus.CANCELLED: "neutral",
}
# The beginning of what became of an import that did not reach its end.
STOPPED = {ImportStatus.FAILED: "Failed", ImportStatus.CANCELLED: "Cancelled"}


def counted(count: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it is not 1."""
    return f"{count:,} {noun if count == 1 else f'{noun}s'}"


def tone(job: ImportRead) -> str:
    """Return "good" if every row went in, "warning" if some were rejected, "bad" if no row went in.

    A dry run has the tone that its rows would have, an action with a warning has left products as they were.
    """
    if is_undone(job):
        return "neutral"
    if job.status in TONES:
        return TONES[job.status]
    if job.action is not None:
        return "neutral" if not job.total_rows else "warning" if job.warnings else "good"
    if not _went_in(job):
        return "bad"
    return "warning" if job.rejected else "good"


def result(job: ImportRead) -> str:
    """Return what an ended import has done, such as "19 products imported, 1 row needs you"; empty before its end."""
    return ", ".join(filter(None, (done(job), needs(job))))


def done(job: ImportRead) -> str:
    """Return the first part of the result: what was done."""
    if job.status not in FINAL or is_undone(job):
        return ""
    if job.action is not None:
        return action_words.done(job, job.action)
    if job.status in STOPPED:
        return f"{STOPPED[job.status]}: {_before_the_stop(job)}"
    return would_do(job) if is_dry_run(job) else _done(job)


def needs(job: ImportRead) -> str:
    """Return the second part of the result: how many rows need somebody; empty if none does."""
    if job.status not in FINAL or job.status in STOPPED or is_undone(job) or not job.rejected:
        return ""
    return f"{counted(job.rejected, 'row')} {'needs' if job.rejected == 1 else 'need'} you"


def would_do(job: ImportRead) -> str:
    """Return what applying a dry run would do."""
    parts = [f"create {job.created:,}" if job.created else "", f"update {job.updated:,}" if job.updated else ""]
    return f"Would {' and '.join(filter(None, parts)) or 'change nothing'}"


def is_dry_run(job: ImportRead) -> bool:
    """Whether it is a dry run that was not applied."""
    return job.choices.dry_run and job.applied_at is None


def is_undone(job: ImportRead) -> bool:
    """Whether the import was undone or is being undone."""
    return job.undo is not None and job.undo.status in (UndoStatus.PENDING, UndoStatus.UNDONE)


def _done(job: ImportRead) -> str:
    if job.created or job.updated:
        return f"{counted(job.created + job.updated, 'product')} imported"
    if job.unchanged:
        return f"{counted(job.unchanged, 'product')} up to date already"
    return "Nothing was imported" if job.total_rows else "Nothing was imported: the file has no rows"


def _before_the_stop(job: ImportRead) -> str:
    if is_dry_run(job):
        return "it was a dry run"
    changed = job.created + job.updated
    return f"{counted(changed, 'product')} imported before" if changed else "nothing was imported"


def _went_in(job: ImportRead) -> int:
    return job.created + job.updated + job.unchanged
