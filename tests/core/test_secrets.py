"""Secrets are encrypted with the first key and decrypted with any; without `DATABASE_URL` a key is made."""

import multiprocessing
import os
import stat
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from product_importer.core import secrets
from product_importer.core.embedded.files import ServiceError, clean_environment
from product_importer.core.secrets import KEY_FILE, Keyring, SecretUnreadable
from product_importer.core.settings import Settings, settings

FIRST, SECOND, THIRD = "1" * 40, "2" * 40, Fernet.generate_key().decode()
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
STARTS = 8
ROUNDS = 5


@pytest.fixture
def embedded(monkeypatch, tmp_path) -> Path:
    """No `DATABASE_URL`, no `SECRET_KEY`, and a `DATA_DIR` that does not exist yet; return it."""
    folder = tmp_path / "data"
    for name, value in {"database_url": None, "secret_key": None, "data_dir": folder}.items():
        monkeypatch.setattr(settings(), name, value)
    return folder


@pytest.fixture(autouse=True)
def forgotten_keys(monkeypatch):
    """Read the keys again, here and in the next test."""
    secrets.keyring.cache_clear()
    yield
    monkeypatch.undo()
    secrets.keyring.cache_clear()


def test_the_first_key_encrypts_and_all_decrypt():
    stored = Keyring([FIRST]).encrypt(SECRET)
    assert stored.startswith("fernet:") and SECRET not in stored
    rotated = Keyring([SECOND, THIRD, FIRST])
    assert rotated.decrypt(stored) == SECRET
    again = rotated.encrypt(SECRET)
    assert again.startswith(rotated.prefix) and not stored.startswith(rotated.prefix)
    assert Keyring([SECOND]).decrypt(again) == SECRET
    assert Keyring([THIRD, SECOND]).decrypt(again) == SECRET


def test_no_two_encrypted_texts_are_the_same():
    keyring = Keyring([FIRST])
    assert keyring.encrypt(SECRET) != keyring.encrypt(SECRET)


def test_without_a_key_secrets_are_stored_as_they_are():
    assert Keyring([]).encrypt(SECRET) == SECRET
    assert Keyring([]).decrypt(SECRET) == Keyring([FIRST]).decrypt(SECRET) == SECRET


@pytest.mark.parametrize(
    "change", [lambda stored: stored[:-1], lambda stored: f"{stored}ü", lambda _: "fernet:", str]
)
def test_what_no_key_opens_says_so_and_shows_nothing(change):
    stored = change(Keyring([FIRST]).encrypt(SECRET))
    keyrings = [Keyring([]), Keyring([SECOND])]
    for keyring in keyrings if change is str else [Keyring([FIRST])]:
        with pytest.raises(SecretUnreadable, match="SECRET_KEY") as refused:
            keyring.decrypt(stored)
        assert stored not in str(refused.value) and FIRST not in str(refused.value)


def test_the_own_key_is_made_once_and_readable_by_its_owner_only(embedded):
    stored = secrets.keyring().encrypt(SECRET)
    path = embedded / KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in embedded.iterdir()] == [KEY_FILE]
    secrets.keyring.cache_clear()
    assert secrets.keyring().decrypt(stored) == SECRET
    assert Fernet(path.read_text().strip()).decrypt(stored.rpartition(":")[2]) == SECRET.encode()


def test_the_own_key_still_decrypts_after_secret_key_was_set(embedded, monkeypatch):
    stored = secrets.keyring().encrypt(SECRET)
    monkeypatch.setattr(settings(), "secret_key", SecretStr(FIRST))
    secrets.keyring.cache_clear()
    assert secrets.keyring().decrypt(stored) == SECRET
    assert Keyring([FIRST]).decrypt(secrets.keyring().encrypt(SECRET)) == SECRET


def test_no_key_is_made_where_secret_key_or_database_url_is_set(embedded, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(settings(), "secret_key", SecretStr(FIRST))
        assert secrets.keyring().ids
    secrets.keyring.cache_clear()
    monkeypatch.setattr(settings(), "database_url", "postgresql+psycopg2://me@server/shop")
    assert secrets.keyring().ids == []
    assert not embedded.exists()


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff" * 50, f"{FIRST},{SECOND}".encode()])
def test_a_file_without_one_key_is_named_and_kept(embedded, content):
    embedded.mkdir()
    path = embedded / KEY_FILE
    path.write_bytes(content)
    with pytest.raises(ServiceError) as refused:
        secrets.prepare()
    assert str(path) in str(refused.value) and len(str(refused.value).splitlines()) == 1
    assert FIRST not in str(refused.value)
    assert path.read_bytes() == content


def test_a_folder_that_cannot_hold_the_key_is_named(embedded, monkeypatch):
    monkeypatch.setattr(settings(), "data_dir", Path("/proc/nowhere"))
    with pytest.raises(ServiceError, match=r"DATA_DIR.*/proc/nowhere"):
        secrets.prepare()


def test_the_key_of_a_process_that_was_quicker_is_used(embedded, monkeypatch):
    path, made, fsync = embedded / KEY_FILE, [], os.fsync

    def overtaken(descriptor: int) -> None:
        monkeypatch.setattr(os, "fsync", fsync)
        made.extend(secrets._own_keys(path, needs_one=True))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", overtaken)
    assert secrets._own_keys(path, needs_one=True) == made
    assert [file.name for file in embedded.iterdir()] == [KEY_FILE]


def make_key(folder: Path, ready: Barrier, found: "multiprocessing.Queue[str]") -> None:
    ready.wait()
    found.put(secrets._own_keys(folder / KEY_FILE, needs_one=True)[0])


@pytest.mark.processes
def test_processes_that_start_at_once_have_the_same_key(tmp_path):
    context = multiprocessing.get_context("fork")
    for number in range(ROUNDS):
        ready, found, folder = context.Barrier(STARTS), context.Queue(), tmp_path / str(number)
        starts = [context.Process(target=make_key, args=(folder, ready, found)) for _ in range(STARTS)]
        for start in starts:
            start.start()
        keys = {found.get(timeout=30) for _ in starts}
        for start in starts:
            start.join(30)
        assert keys == {(folder / KEY_FILE).read_text().strip()}
        assert [file.name for file in folder.iterdir()] == [KEY_FILE]


@pytest.mark.parametrize(
    ("signs_in", "database_url", "secret_key", "starts"),
    [
        (True, "postgresql+psycopg2://me@server/shop", None, False),
        (True, "postgresql+psycopg2://me@server/shop", SecretStr(FIRST), True),
        (True, None, None, True),
        (False, "postgresql+psycopg2://me@server/shop", None, True),
    ],
)
def test_a_key_is_required_with_sign_in_and_a_server_of_one_s_own(
    embedded, monkeypatch, signs_in, database_url, secret_key, starts
):
    monkeypatch.setattr(Settings, "signs_in", property(lambda _: signs_in))
    monkeypatch.setattr(settings(), "database_url", database_url)
    monkeypatch.setattr(settings(), "secret_key", secret_key)
    if starts:
        secrets.prepare()
    else:
        with pytest.raises(ServiceError, match=r"^SECRET_KEY is not set, .*"):
            secrets.prepare()


def test_neither_settings_nor_embedded_servers_show_the_keys(monkeypatch):
    monkeypatch.setattr(settings(), "secret_key", SecretStr(FIRST))
    monkeypatch.setenv("SECRET_KEY", FIRST)
    assert FIRST not in f"{settings()!r} {settings()} {settings().model_dump()}"
    assert FIRST not in str(clean_environment())
