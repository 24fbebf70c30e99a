"""The settings of the commands that use another machine's server."""

import re
from functools import lru_cache
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from product_importer.core.settings.reading import is_loopback, read

# What `Authorization: Bearer` can hold (RFC 6750).
TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)


class RemoteSettings(BaseSettings):
    """The server of another machine that `import` and `export` use, instead of servers of this one."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", env_ignore_empty=True)

    product_importer_url: Annotated[
        str | None,
        Field(
            description="the server on which `import` and `export` work, such as `https://shop.example`; unset: the "
            "servers of this machine"
        ),
    ] = None
    product_importer_token: Annotated[
        SecretStr | None, Field(description="the token that `import` and `export` send to `PRODUCT_IMPORTER_URL`")
    ] = None

    @field_validator("product_importer_url")
    @classmethod
    def _check_url(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        rest = (parts.path.strip("/"), parts.query, parts.fragment, parts.username, parts.password)
        if parts.scheme not in ("http", "https") or not parts.hostname or any(rest) or parts.port == 0:
            raise ValueError(
                "must be http:// or https:// with a host, and a port if needed, such as https://shop.example"
            )
        return f"{parts.scheme}://{parts.netloc}"

    @field_validator("product_importer_token")
    @classmethod
    def _check_token(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and not TOKEN.fullmatch(token.get_secret_value()):
            raise ValueError("must be a token: letters, digits and - . _ ~ + / = only")
        return token

    @model_validator(mode="after")
    def _keep_token_secret(self) -> Self:
        parts = urlsplit(self.product_importer_url or "")
        if self.product_importer_token and parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            raise ValueError(
                "PRODUCT_IMPORTER_URL: a token is sent over http:// to this machine only, as anyone on the way could "
                "read it; use https://"
            )
        return self


@lru_cache
def remote_settings() -> RemoteSettings:
    """Return the settings of the other machine's server, read once.

    Raises:
        SystemExit: as `reading.read` does.
    """
    return read(RemoteSettings)
