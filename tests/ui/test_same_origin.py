"""In development, Vite forwards to the backend."""

import pytest
from reflex.config import get_config

from product_importer.ui import same_origin


@pytest.mark.parametrize(
    ("listens_on", "target"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("10.0.0.7", "10.0.0.7"),
        ("localhost", "localhost"),
        ("0.0.0.0", "127.0.0.1"),
        ("::", "[::1]"),
        ("fd00::7", "[fd00::7]"),
    ],
)
def test_vite_forwards_to_the_address_of_the_backend(monkeypatch, listens_on, target):
    monkeypatch.setattr(get_config(), "backend_host", listens_on)
    monkeypatch.setattr(get_config(), "backend_port", 8000)
    assert f'"/_event": {{ target: "http://{target}:8000", ws: true }}' in same_origin._forward_to_backend(
        same_origin.VITE_SERVER
    )
