"""Health routes: whether the process is alive, and whether everything it needs is ready."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy
from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from redis.exceptions import RedisError

from product_importer import migrations
from product_importer.access import principal
from product_importer.access.schemas import Permission
from product_importer.catalog import sku_conflicts
from product_importer.core import db, queue, redis, secrets, storage
from product_importer.core.embedded.servers import ServiceError
from product_importer.core.outages import summary
from product_importer.core.settings import settings
from product_importer.webhooks import stored_secrets

router = APIRouter(tags=["health"])

# So many products whose SKUs are the same as others' are named, and so many webhooks.
MAX_CONFLICTS = 20


class Check(BaseModel):
    """Whether one needed part works, and whether readiness depends on it."""

    name: str
    ok: bool
    detail: str
    is_required: bool = True
    # Only for `doctor`.
    fix: Annotated[str, Field(exclude=True)] = ""
    warning: Annotated[str | None, Field(exclude=True)] = None


class Readiness(BaseModel):
    """All checks; `ready` is true if those that are required are ok. Strangers are told of none."""

    ready: bool
    checks: list[Check]


@router.get("/health", summary="The process is alive")
async def read_health() -> dict[str, str]:
    """Answers as long as the process runs, whatever else is down."""
    return {"status": "ok"}


@router.get("/ready", summary="Everything needed is there", responses={503: {"model": Readiness}})
def read_readiness(response: Response) -> Readiness:
    """Check PostgreSQL, Redis, migrations and a live worker, each by name; 503 when one is missing.

    A worker of webhooks is checked too, but only deliveries need it. Where people sign in, strangers learn `ready`
    alone.
    """
    readiness = check()
    if not readiness.ready:
        response.status_code = 503
    may_know = principal.current().may(Permission.READ)
    return Readiness(ready=readiness.ready, checks=list(map(_without_details, readiness.checks)) if may_know else [])


def _without_details(checked: Check) -> Check:
    """Return a check for the public: the reason of an error may name addresses and roles."""
    detail = (
        checked.detail if checked.ok else f"{checked.name} is missing: {checked.fix}. The command `doctor` says why."
    )
    return checked.model_copy(update={"detail": detail})


def check() -> Readiness:
    """Check everything that is needed."""
    checks = [
        _checked("postgresql", _ask_postgresql, "start it, or set DATABASE_URL"),
        _checked("redis", _ask_redis, "start it, or set REDIS_URL"),
        _checked("migrations", _ask_migrations, "run `product-importer migrate` of the newest version"),
        _checked("worker", partial(_ask_workers, "imports"), "run `product-importer worker`"),
        # Not required: without it only deliveries wait, and not everyone uses webhooks.
        _checked(
            "webhook-worker",
            partial(_ask_workers, "webhooks"),
            "run `product-importer worker --queue webhooks`",
            is_required=False,
        ),
    ]
    return _readiness(checks)


def diagnose() -> Readiness:
    """Check everything, including the storage of uploads as this process sees it."""
    uploads = _checked("uploads", _ask_uploads, "change its owner, free some space, or set UPLOAD_DIR")
    skus = _checked("skus", _ask_skus, "give each of them another SKU, or delete it", is_required=False)
    keys = _checked("secrets", _ask_secrets, "set SECRET_KEY, see docs/operations.md", is_required=False)
    postgresql, *others = check().checks
    if postgresql.ok:
        postgresql.warning = db.superuser_warning()
    return _readiness([postgresql, *others, uploads, skus, keys])


def free_space(folder: Path) -> str:
    """Return the free space on a folder's disk in GB (10^9 bytes); the folder need not exist yet."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return f"{shutil.disk_usage(there).free / 1e9:,.1f} GB free"


def _readiness(checks: list[Check]) -> Readiness:
    return Readiness(ready=all(item.ok for item in checks if item.is_required), checks=checks)


def _checked(name: str, ask: Callable[[], str], fix: str, is_required: bool = True) -> Check:
    try:
        return Check(name=name, ok=True, detail=ask(), is_required=is_required)
    except (sqlalchemy.exc.SQLAlchemyError, RedisError, ServiceError, storage.StorageError, CheckFailed) as error:
        # The lines after the first may hold addresses.
        reason = f"{summary(error)} ({fix})"
        return Check(name=name, ok=False, detail=reason, is_required=is_required, fix=fix)


class CheckFailed(Exception):
    """A part answers but is not in order."""


def _ask_postgresql() -> str:
    with db.engine().connect() as connection:
        version = connection.exec_driver_sql("SHOW server_version").scalar()
    return f"PostgreSQL {version}"


def _ask_redis() -> str:
    information: Any = redis.client().info("server")
    if "valkey_version" in information:
        return f"Valkey {information['valkey_version']}"
    return f"Redis {information['redis_version']}"


def _ask_migrations() -> str:
    schema = migrations.read_schema()
    if not schema.is_usable:
        raise CheckFailed(str(schema))
    return str(schema)


def _ask_workers(name: str) -> str:
    workers = queue.live_workers(name)
    if not workers:
        raise CheckFailed(f"no worker of the queue “{name}” is running")
    return f"{workers} running"


def _ask_skus() -> str:
    found = db.run(sku_conflicts.find, MAX_CONFLICTS + 1)
    if found:
        number = f"{MAX_CONFLICTS} or more" if len(found) > MAX_CONFLICTS else str(len(found))
        named = ", ".join(f"“{one.sku}” ({one.product_id})" for one in found[:MAX_CONFLICTS])
        raise CheckFailed(
            f"{number} products have the SKU of another product but for invisible characters, and imports change"
            f" only that other one: {named}"
        )
    return "no two are the same"


def _ask_secrets() -> str:
    found = db.run(stored_secrets.survey)
    if found.unreadable:
        named = ", ".join(map(str, found.unreadable[:MAX_CONFLICTS]))
        raise CheckFailed(
            f"no key opens the secrets of {len(found.unreadable)} of {found.webhooks} webhooks, whose deliveries fail"
            f" until they get new ones: {named}"
        )
    if not secrets.keyring().ids:
        raise CheckFailed("SECRET_KEY is not set, so the secrets of webhooks are stored as they are")
    late = f", {found.outdated} not yet with the first key" if found.outdated else ""
    return f"encrypted, webhooks: {found.webhooks}{late}"


def _ask_uploads() -> str:
    storage.probe()
    place = settings().uploads
    return f"{place} is writable" + ("" if "://" in place else f", {free_space(Path(place))}")
