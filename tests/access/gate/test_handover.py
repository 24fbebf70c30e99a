"""What is behind the layer gets a session's digest from the layer alone, and no secret."""

from uuid import uuid4

import pytest

from product_importer.access.gate.handover import SESSION_HEADER, without_secrets
from product_importer.access.principal import ANYONE, STRANGER, Principal, PrincipalKind

PERSON = Principal(PrincipalKind.PERSON, id=uuid4(), credential=b"\x01\xff")
TOKEN = Principal(PrincipalKind.TOKEN, id=uuid4(), credential=b"\x02")
SENT = [(b"host", b"localhost"), (b"cookie", b"pi_session=secret"), (SESSION_HEADER.encode(), b"02")]


@pytest.mark.parametrize(
    ("who", "given"), [(PERSON, [(SESSION_HEADER.encode(), b"01ff")]), (TOKEN, []), (STRANGER, []), (ANYONE, [])]
)
def test_only_a_persons_digest_is_handed_over(who: Principal, given: list[tuple[bytes, bytes]]):
    handed = without_secrets({"type": "http", "headers": SENT}, who)
    assert handed["headers"] == [(b"host", b"localhost"), *given]
