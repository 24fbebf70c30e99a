"""Who made the last change of a product: by hand, through an import, or nobody knows."""

from uuid import UUID

from sqlmodel import select

from product_importer.access.principal import Principal, PrincipalKind, acting_as
from product_importer.access.schemas import ROLE_PERMISSIONS, Role
from product_importer.catalog import last_change, service
from product_importer.catalog.models import Product
from product_importer.catalog.schemas import ProductCreate, ProductUpdate
from product_importer.core import db
from product_importer.core.ids import new_id
from product_importer.imports import service as imports
from product_importer.imports import tasks
from product_importer.imports.retention import prune
from tests.imports.conftest import execute

ANN = Principal(PrincipalKind.PERSON, ROLE_PERMISSIONS[Role.EDITOR], id=new_id(), name="ann@shop.example")
BOB = Principal(PrincipalKind.PERSON, ROLE_PERMISSIONS[Role.EDITOR], id=new_id(), name="bob@shop.example")
HEADER = "sku,name,description\n"


def _id(sku: str) -> UUID:
    return db.run(lambda session: session.scalars(select(Product.id).where(Product.sku == sku)).one())


def writer(sku: str = "A") -> tuple[str | None, str | None]:
    """Return the name and the file of who wrote a product last."""
    by = db.run(last_change.read, _id(sku)).by
    return by.name, by.filename


def _import(run_import, by: Principal, content: str, filename: str, **options: str) -> UUID:
    with acting_as(by):
        return run_import(HEADER + content, filename, **options).id


def test_a_change_by_hand_names_its_writer(database):
    with acting_as(ANN):
        product = db.run(service.create_product, ProductCreate(sku="A", name="A"))
    assert writer() == (ANN.name, None)
    with acting_as(BOB):
        db.run(service.update_product, product.id, ProductUpdate(name="B"))
    assert writer() == (BOB.name, None)
    assert db.run(last_change.read, product.id).at == db.run(service.read_product, product.id).updated_at


def test_a_product_that_an_import_created_names_it(run_import):
    job = _import(run_import, ANN, "A,one,x\n", "first.csv")
    assert writer() == (ANN.name, "first.csv")
    assert db.run(last_change.read, _id("A")).by.job_id == job


def test_the_newest_import_that_wrote_a_product_is_named(run_import):
    _import(run_import, ANN, "A,one,x\nB,one,x\nC,one,x\n", "first.csv")
    _import(run_import, BOB, "A,two,x\nB,one,x\n", "second.csv")
    assert [writer("A"), writer("B"), writer("C")] == [(BOB.name, "second.csv"), *[(ANN.name, "first.csv")] * 2]
    _import(run_import, ANN, "A,three,x\n", "third.csv")
    assert writer("A") == (ANN.name, "third.csv")
    with acting_as(BOB):
        db.run(service.update_product, _id("A"), ProductUpdate(name="by hand"))
    assert writer("A") == (BOB.name, None)


def test_a_dry_run_has_written_nothing(run_import):
    _import(run_import, ANN, "A,one,x\n", "first.csv")
    _import(run_import, BOB, "A,two,x\n", "second.csv", dry_run="true")
    assert writer() == (ANN.name, "first.csv")


def test_an_undo_leaves_it_open_who_wrote(run_import):
    _import(run_import, ANN, "A,one,x\n", "first.csv")
    job = _import(run_import, BOB, "A,two,x\n", "second.csv")
    db.run(imports.undo_import, job)
    tasks.run_undo(str(job))
    assert writer() == (None, None)


def test_when_overwritten_values_are_deleted_nobody_is_named(run_import):
    _import(run_import, ANN, "A,one,x\n", "first.csv")
    _import(run_import, BOB, "A,two,x\n", "second.csv")
    execute("UPDATE import_job SET finished_at = finished_at - interval '30 days'")
    assert writer() == (None, None)
    execute("UPDATE import_job SET finished_at = now()")
    assert writer() == (BOB.name, "second.csv")
    execute("UPDATE import_job SET finished_at = finished_at - interval '30 days'")
    db.run(prune)
    assert writer() == (None, None)


def test_an_import_that_has_only_created_products_has_no_values_to_look_into(run_import):
    _import(run_import, ANN, "A,one,x\n", "first.csv")
    execute("UPDATE product SET version = 2")
    assert writer() == (None, None)


def test_without_sign_in_an_import_is_named_and_nobody_else(run_import):
    run_import(f"{HEADER}A,one,x\n", "first.csv")
    assert writer() == (None, "first.csv")
