"""Webhooks, downloads and the calls to a provider trust no certificate that nobody vouches for."""

import asyncio
import ssl

import httpx
import pytest

from product_importer.access.oidc import calls
from product_importer.core.cidr import parse_networks
from product_importer.core.outbound import http_client
from product_importer.core.outbound.address_policy import AddressPolicy
from tests.commands.remote_machine import refusing, self_signed, serving


def _of_users() -> httpx.AsyncClient:
    return http_client.client(AddressPolicy(parse_networks("127.0.0.0/8")), httpx.Timeout(10), 10_000)


@pytest.mark.parametrize("client", [_of_users, calls._client])
def test_a_certificate_that_is_not_trusted_is_refused(client, tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    asked: list[str | None] = []

    async def call(url: str) -> None:
        async with client() as opened:
            await opened.get(url)

    with serving(refusing(200, asked), context) as server:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            asyncio.run(call(server))
        assert asked == []


@pytest.mark.parametrize("context", [http_client._tls, calls._tls])
def test_no_version_of_tls_below_1_2_is_offered(context):
    assert context().minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context().verify_mode == ssl.CERT_REQUIRED and context().check_hostname
