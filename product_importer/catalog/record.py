"""Record who changed and exported products, beside the events for webhooks."""

from typing import Any

from sqlmodel import Session

from product_importer.access import audit
from product_importer.access.audit import AuditAction, ObjectKind
from product_importer.catalog.export_query import ExportQuery
from product_importer.catalog.models import Product

FIELDS = ("sku", "name", "description", "active", "attributes")

Values = dict[str, Any]


def values(product: Product) -> Values:
    """Return the fields of a product that people change."""
    return {field: getattr(product, field) for field in FIELDS}


def created(session: Session, product: Product) -> None:
    """Record a new product."""
    _record(session, AuditAction.PRODUCT_CREATED, product, after=values(product))


def updated(session: Session, product: Product, before: Values) -> None:
    """Record what differs from the values `before`: fields, and single attributes."""
    old, new = _difference(before, values(product))
    _record(session, AuditAction.PRODUCT_UPDATED, product, before=old, after=new)


def restored(session: Session, product: Product) -> None:
    """Record that a deleted product is there again."""
    _record(session, AuditAction.PRODUCT_RESTORED, product, after=values(product))


def deleted(session: Session, product: Product) -> None:
    """Record a deleted product."""
    _record(session, AuditAction.PRODUCT_DELETED, product, before=values(product))


def all_deleted(session: Session, deleted: int) -> None:
    """Record the deletion of all products, `deleted` in number."""
    audit.record(session, AuditAction.PRODUCTS_DELETED, ObjectKind.PRODUCT, details={"deleted": deleted})


def exported(session: Session, query: ExportQuery, rows: int) -> None:
    """Record an export, and how many products were read for it, also where its reader left early."""
    chosen = query.model_dump(mode="json", exclude_defaults=True, by_alias=True)
    format, columns = query.format, chosen.pop("columns", None) or None
    chosen.pop("format", None)
    details = {"format": format, "columns": columns, "filters": chosen, "rows": rows}
    audit.record(session, AuditAction.PRODUCTS_EXPORTED, ObjectKind.PRODUCT, details=details)


def _record(session: Session, action: AuditAction, product: Product, **changed: Any) -> None:
    # The version tells which change of a product was its last.
    details = {"version": product.version}
    audit.record(session, action, ObjectKind.PRODUCT, product.id, product.sku, details=details, **changed)


def _difference(before: Values, after: Values) -> tuple[Values, Values]:
    """Return the entries in which two dictionaries differ, of each of them; attributes are compared one by one."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    old, new = ({name: given[name] for name in names if name in given} for given in (before, after))
    # An attribute may have this name, too: its value is a text.
    if isinstance(old.get("attributes"), dict):
        old["attributes"], new["attributes"] = _difference(before["attributes"], after["attributes"])
    return old, new
