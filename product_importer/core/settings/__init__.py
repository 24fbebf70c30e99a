"""The settings: every environment variable that the application reads, with type and default."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from product_importer.core.cidr import parse_hosts, parse_networks, parse_ports
from product_importer.core.settings.reading import is_loopback, read
from product_importer.core.settings.secret_keys import split_keys
from product_importer.core.settings.single_sign_on import check_complete, check_issuer, parse_role_claim

OBJECT_STORES = ("s3://", "gs://")
MEBIBYTE = 1024 * 1024


class Settings(BaseSettings):
    """The settings of one process. Field names are the environment variables' names in lower case."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", env_ignore_empty=True)

    database_url: Annotated[
        str | None,
        Field(
            description="PostgreSQL 15 to 18, also several hosts: `postgresql://user@a:5432,b:5432/shop`; unset: the "
            "embedded server in `DATA_DIR`"
        ),
    ] = None
    redis_url: Annotated[
        str | None, Field(description="Redis 6.2+ or Valkey 7.2+; unset: the embedded Valkey in `DATA_DIR`")
    ] = None
    data_dir: Annotated[Path, Field(description="embedded servers and private files")] = Path(".data")
    secret_key: Annotated[
        SecretStr | None,
        Field(
            description="keys that encrypt stored secrets, separated by commas, each a random text of at least 32 "
            "characters; the first encrypts, all decrypt; unset: one in `DATA_DIR`, or none if `DATABASE_URL` is set"
        ),
    ] = None
    upload_dir: Annotated[str, Field(description="a folder, or an object-store URL such as `s3://bucket/prefix`")] = (
        ""
    )
    spool_dir: Annotated[
        Path | None,
        Field(description="folder for temporary files: sorted rows of running imports, workbooks being exported"),
    ] = None
    max_upload_mb: Annotated[
        int, Field(ge=1, description="maximum size of an upload in MiB, also unpacked; a larger one gets 413")
    ] = 4096
    max_rows: Annotated[int, Field(ge=1, description="maximum number of rows of one file")] = 20_000_000
    batch_size: Annotated[
        int, Field(ge=100, le=1_000_000, description="rows that the merge commits at once (one range)")
    ] = 25_000
    import_writers: Annotated[
        int, Field(ge=1, le=16, description="threads of an import that write to PostgreSQL at once")
    ] = 2
    host: Annotated[str, Field(description="address on which the web process listens")] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535, description="port of the page, the REST API and event streams")] = 3000
    web_processes: Annotated[
        int,
        Field(
            ge=1,
            le=64,
            description="web processes behind the one port; more than one keep Reflex's state in Redis",
        ),
    ] = 1
    workers: Annotated[int, Field(ge=1, le=64, description="import workers that `up` starts")] = min(
        4, os.cpu_count() or 1
    )
    allowed_hosts: Annotated[
        str | None,
        Field(
            description="names and addresses that requests may use besides loopback and `HOST`, such as "
            "`shop.example,10.0.0.7`"
        ),
    ] = None
    trusted_proxies: Annotated[
        str | None,
        Field(
            description="networks of proxies whose `X-Forwarded-*` headers are used, such as "
            "`10.0.0.0/8`; unset: none"
        ),
    ] = None
    public_url: Annotated[
        str | None,
        Field(description="address under which people open the page, such as `https://shop.example`, for links"),
    ] = None
    auth: Annotated[
        Literal["auto", "on", "off"],
        Field(
            description="whether people must sign in; `auto`: no while only loopback names are served (`HOST` is "
            "loopback, `ALLOWED_HOSTS` and `TRUSTED_PROXIES` are unset), yes otherwise"
        ),
    ] = "auto"
    i_know_anyone_can_change_everything: Annotated[
        bool, Field(description="`true` is needed for `AUTH=off` where `HOST` is not loopback")
    ] = False
    oidc_issuer: Annotated[
        str | None,
        Field(
            description="address of an OpenID provider for single sign-on, such as `https://login.shop.example`; "
            "needs `OIDC_CLIENT_ID`, `OIDC_ROLES` and `PUBLIC_URL`"
        ),
    ] = None
    oidc_client_id: Annotated[
        str | None, Field(description="id of this application at the provider, where it is a client")
    ] = None
    oidc_client_secret: Annotated[
        SecretStr | None,
        Field(description="secret of this application at the provider; unset: it is a public client"),
    ] = None
    oidc_roles: Annotated[
        str | None,
        Field(
            description="claim of the ID token and the role of each value, such as "
            "`groups:admins=admin,staff=editor,*=viewer`; without a role there is no entry"
        ),
    ] = None
    max_requests_per_address: Annotated[
        int, Field(ge=1, description="maximum of open requests from one address, except loopback; one more gets 429")
    ] = 100
    token_requests_per_minute: Annotated[
        int, Field(ge=1, description="requests that a token may send in a minute; one more gets 429")
    ] = 600
    webhook_allow_cidrs: Annotated[
        str | None,
        Field(
            description="networks that are not public but that webhooks and `import` may reach, such as "
            "`10.0.0.0/8,fd00::/8`; unset: none, or this machine if `DATABASE_URL` is unset too"
        ),
    ] = None
    webhook_ports: Annotated[str, Field(description="ports that webhooks and `import` may reach")] = (
        "80,443,1024-65535"
    )
    event_retention_days: Annotated[
        int, Field(ge=1, le=3650, description="days after which events and their deliveries are deleted")
    ] = 30
    upload_retention_days: Annotated[
        int, Field(ge=1, le=3650, description="days after an import's end at which its uploaded file is deleted")
    ] = 7
    audit_retention_days: Annotated[
        int, Field(ge=1, le=3650, description="days after which entries of the record of who did what are deleted")
    ] = 365
    undo_days: Annotated[int, Field(ge=1, le=3650, description="days for which an import can be undone")] = 7

    @field_validator("database_url")
    @classmethod
    def _read_database_url(cls, url: str | None) -> str | None:
        if url is None:
            return None
        # Imported only now: the commands that use another machine's server need no database.
        from product_importer.core.settings.database_urls import for_sqlalchemy

        return for_sqlalchemy(url)

    @field_validator("redis_url")
    @classmethod
    def _check_redis_scheme(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must begin with redis://, rediss:// or unix://")
        return url

    @field_validator("secret_key")
    @classmethod
    def _check_keys(cls, keys: SecretStr | None) -> SecretStr | None:
        if keys is not None:
            split_keys(keys.get_secret_value())
        return keys

    @field_validator("upload_dir")
    @classmethod
    def _check_store(cls, place: str) -> str:
        if "://" in place and not place.startswith(OBJECT_STORES):
            raise ValueError(f"must be a folder, or begin with {' or '.join(OBJECT_STORES)}")
        return place

    @field_validator("allowed_hosts", "host")
    @classmethod
    def _check_hosts(cls, text: str | None) -> str | None:
        parse_hosts(text or "")
        return text

    @field_validator("webhook_allow_cidrs", "trusted_proxies")
    @classmethod
    def _check_networks(cls, text: str | None) -> str | None:
        parse_networks(text or "")
        return text

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError("must be an address without a path, such as https://shop.example")
        return f"{parts.scheme}://{parts.netloc}"

    @model_validator(mode="after")
    def _check_open_doors(self) -> "Settings":
        if self.auth == "off" and not self.is_loopback and not self.i_know_anyone_can_change_everything:
            raise ValueError(
                f"AUTH=off with HOST={self.host}: whoever reaches the port could change everything. Use AUTH=on, or "
                "set I_KNOW_ANYONE_CAN_CHANGE_EVERYTHING=true"
            )
        return self

    @field_validator("oidc_issuer")
    @classmethod
    def _check_issuer(cls, url: str | None) -> str | None:
        if url is None:
            return None
        check_issuer(url)
        return url

    @field_validator("oidc_roles")
    @classmethod
    def _check_roles(cls, text: str | None) -> str | None:
        if text is not None:
            parse_role_claim(text)
        return text

    @model_validator(mode="after")
    def _check_single_sign_on(self) -> "Settings":
        given = self.oidc_issuer, self.oidc_client_id, self.oidc_roles, self.public_url
        secret = self.oidc_client_secret.get_secret_value() if self.oidc_client_secret else ""
        if secret or any(given[:-1]):
            check_complete(given, secret, signs_in=self.signs_in)
        return self

    @field_validator("webhook_ports")
    @classmethod
    def _check_ports(cls, text: str) -> str:
        parse_ports(text)
        return text

    @field_validator("data_dir", "spool_dir")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return None if path is None else path.expanduser().resolve()

    @property
    def is_loopback(self) -> bool:
        """Whether the web process listens on loopback only."""
        return all(is_loopback(host.strip("[]")) for host in parse_hosts(self.host))

    @property
    def signs_in(self) -> bool:
        """Whether people must sign in."""
        if self.auth == "auto":
            return not self.is_loopback or bool(self.allowed_hosts) or bool(self.trusted_proxies)
        return self.auth == "on"

    @property
    def address(self) -> str:
        """The address under which people open the page: `PUBLIC_URL`, or that of this machine."""
        is_everywhere = self.host in ("0.0.0.0", "::", "[::]", "127.0.0.1")  # noqa: S104 - compared, not listened on
        host = "localhost" if is_everywhere else self.host
        shown = f"[{host}]" if ":" in host and not host.startswith("[") else host
        return self.public_url or f"http://{shown}:{self.port}"

    @property
    def uploads(self) -> str:
        """The place of uploaded files: `UPLOAD_DIR`, or its default in `DATA_DIR`."""
        return self.upload_dir or str(self.data_dir / "uploads")

    @property
    def spools(self) -> Path:
        """The folder for temporary files: `SPOOL_DIR`, or its default in `DATA_DIR`."""
        return self.spool_dir or self.data_dir / "spool"

    @property
    def max_upload_bytes(self) -> int:
        """The largest accepted upload, in bytes."""
        return self.max_upload_mb * MEBIBYTE


@lru_cache
def settings() -> Settings:
    """Return the settings, read once.

    Raises:
        SystemExit: values are invalid; the message has one line for each, with the variable and the reason.
    """
    return read(Settings)
