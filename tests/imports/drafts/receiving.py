"""Helpers for tests of drafts: receive files, in one piece or bit by bit."""

from typing import Any
from uuid import UUID

from product_importer.core import db
from product_importer.core.storage import storage
from product_importer.imports.drafts import service
from product_importer.imports.drafts.preview import preview
from product_importer.imports.drafts.receiving import IncomingDraft
from product_importer.imports.drafts.schemas import DraftRead
from product_importer.imports.options import parse

FILE = b"sku,name,description,colour\na,A,1,red\nb,B,2,blue\n"
# Names that are guessed, and a row that is not complete after `BEGINNING` bytes.
SHOP = b"Artikelnummer;Bezeichnung;Beschreibung;Farbe\na;A;1;rot\n" + b"".join(
    b"b%d;B;2;blau\n" % n for n in range(99)
)
BEGINNING = 600


def received(content: bytes = FILE, filename: str = "catalogue.csv") -> DraftRead:
    """Receive a whole file, and return its draft."""
    incoming = IncomingDraft(filename, len(content))
    incoming.write(content)
    draft = incoming.finish()
    assert isinstance(draft, DraftRead)
    return draft


def begun(content: bytes = FILE, filename: str = "catalogue.csv", size: int | None = None) -> IncomingDraft:
    """Receive the beginning of a file."""
    incoming = IncomingDraft(filename, size)
    incoming.write(content)
    return incoming


def choose(draft_id: UUID, **options: Any) -> DraftRead:
    """Choose options, named as form fields are."""
    return db.run(service.change_options, draft_id, parse(options))


def targets(draft_id: UUID) -> dict[str, tuple[str, str]]:
    """Return what each column becomes, and how that was found."""
    shown = preview(draft_id)
    assert shown.error is None, shown.error
    return {column.name: (column.target, column.found.value) for column in shown.columns}


def stored() -> list[str]:
    """Return the keys of the stored files."""
    return sorted(storage().keys())
