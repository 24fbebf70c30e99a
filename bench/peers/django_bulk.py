"""django-import-export in bulk mode. Run as `python django_bulk.py FILE SOCKET DATABASE`.

See «Bulk imports» in its documentation, «Performance tuning» included.
"""

import sys
import time
import uuid
from typing import Any

import django
from django.conf import settings

BATCH = 1_000


def main(path: str, socket: str, database: str) -> None:
    engine = {"ENGINE": "django.db.backends.postgresql", "NAME": database, "HOST": socket, "USER": "postgres"}
    settings.configure(DATABASES={"default": engine}, INSTALLED_APPS=["import_export"], USE_TZ=True)
    django.setup()
    resource = make_resource()
    began = time.perf_counter()
    load(resource, path)
    print(time.perf_counter() - began)


def load(resource: Any, path: str) -> None:
    from tablib import Dataset

    with open(path, newline="", encoding="utf-8-sig") as file:  # noqa: PTH123 - as people write it
        rows = Dataset().load(file, format="csv")
    rows.append_col([sku.strip().lower() for sku in rows["sku"]], header="sku_key")
    resource.import_data(rows, raise_errors=True)


def make_resource() -> Any:
    """Django's classes can only be made once it is set up."""
    from django.db import models
    from import_export.instance_loaders import CachedInstanceLoader
    from import_export.resources import ModelResource

    class Product(models.Model):
        id = models.UUIDField(primary_key=True, default=uuid.uuid4)
        sku = models.TextField()
        sku_key = models.TextField(unique=True)
        name = models.TextField()
        description = models.TextField()

        class Meta:
            app_label = "catalogue"
            db_table = "product"
            managed = False

    class ProductResource(ModelResource):
        class Meta:
            model = Product
            fields = import_order = ("sku_key", "sku", "name", "description")
            import_id_fields = ("sku_key",)
            instance_loader_class = CachedInstanceLoader
            use_bulk = True
            batch_size = BATCH
            skip_unchanged = skip_diff = True
            report_skipped = False

    return ProductResource()


if __name__ == "__main__":
    main(*sys.argv[1:])
