"""The lock files match the .in files and the installed packages. No test needs a network."""

import importlib.metadata
import re
import sysconfig
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
RUN, DEV = "requirements", "requirements-dev"
LINE = re.compile(
    r"(?P<requirement>[a-z0-9-]+(\[[a-z0-9,-]+\])?==[0-9a-z.]+(?P<marker> ; [^#@]+?)?)"
    r"(?P<hashes>( --hash=sha256:[0-9a-f]{64})+)"
)


def text(name: str) -> str:
    return (ROOT / name).read_text()


def requirements(name: str) -> list[Requirement]:
    """Return the requirements of an .in file."""
    return [Requirement(line) for line in text(f"{name}.in").splitlines() if line and line[0] not in "#-"]


def lines(name: str) -> list[str]:
    """Return the lines of a lock file, each joined with its hashes, without comments."""
    joined = text(f"{name}.txt").replace("\\\n", "")
    return [re.sub(" +", " ", line) for line in joined.splitlines() if not re.fullmatch(r"( *#.*)?", line)]


def locked(name: str) -> list[tuple[Requirement, frozenset[str]]]:
    """Return the packages of a lock file with their hashes; one may occur several times with different markers."""
    found = [LINE.fullmatch(line) for line in lines(name)]
    return [(Requirement(line["requirement"]), frozenset(line["hashes"].split())) for line in found if line]


def with_dependencies(wanted: list[Requirement]) -> set[str]:
    """Return the names of the requirements and all their dependencies, by the metadata of installed packages."""
    seen = set()
    while wanted:
        one = wanted.pop()
        if (one.name, frozenset(one.extras)) not in seen:
            seen.add((one.name, frozenset(one.extras)))
            wanted += dependencies(one)
    return {canonicalize_name(name) for name, _ in seen}


def dependencies(one: Requirement) -> list[Requirement]:
    found = map(Requirement, importlib.metadata.requires(one.name) or [])
    return [other for other in found if any(applies(other, extra) for extra in ("", *one.extras))]


def applies(one: Requirement, extra: str = "") -> bool:
    """Whether a requirement applies to this Python and this machine."""
    return one.marker is None or one.marker.evaluate({"extra": extra})


def version(requirement: Requirement) -> str:
    return str(requirement.specifier).removeprefix("==")


@pytest.mark.parametrize("name", [RUN, DEV])
def test_every_line_of_a_lock_file_is_one_version_with_hashes(name: str):
    assert len(lines(name)) > len(requirements(RUN))
    assert [line for line in lines(name) if not LINE.fullmatch(line)] == []


@pytest.mark.parametrize("name", [RUN, DEV])
def test_lock_files_name_no_index_address_or_path(name: str):
    assert [line for line in text(f"{name}.txt").splitlines() if "/" in line] == []


@pytest.mark.parametrize(("name", "files"), [(RUN, [RUN]), (DEV, [RUN, DEV])])
def test_a_lock_file_has_exactly_the_requirements_and_their_dependencies(name: str, files: list[str]):
    wanted = [one for file in files for one in requirements(file) if applies(one)]
    versions = {one.name: version(one) for one, _ in locked(name) if applies(one)}
    pinned = {canonicalize_name(one.name): version(one) for one in wanted}
    assert {one: versions.get(one) for one in pinned} == pinned, "run `make lock`"
    assert versions.keys() == with_dependencies(wanted), "run `make lock`"


def test_every_requirement_is_pinned():
    assert [
        str(one)
        for one in [*requirements(RUN), *requirements(DEV)]
        if not re.fullmatch(r"==[0-9.]+", str(one.specifier))
    ] == []


def test_the_development_lock_contains_the_runtime_lock_in_the_same_versions():
    everything = {(one.name, version(one), hashes) for one, hashes in locked(DEV)}
    assert {(one.name, version(one), hashes) for one, hashes in locked(RUN)} <= everything
    assert {"-r requirements.in", "-c requirements.txt"} <= set(text(f"{DEV}.in").splitlines())


def test_installed_versions_are_those_of_the_lock_file():
    wanted = {one.name: version(one) for one, _ in locked(DEV) if applies(one)}
    # Only what is installed: some packages, once imported, add the folder of those that they bring along.
    packages = importlib.metadata.distributions(path=[sysconfig.get_path("purelib")])
    installed: dict[str, str] = {canonicalize_name(one.name): one.version for one in packages}
    assert {name: installed.get(name) for name in wanted} == wanted, "run `make test`, which installs them"


def test_make_and_the_image_install_only_packages_with_hashes():
    for name in ("Makefile", "Dockerfile"):
        packages, project = re.findall(r".*pip install.*", text(name))
        assert "--require-hashes" in packages
        assert project.endswith("--no-deps --no-build-isolation --editable ."), (
            "the project must be installed without dependencies"
        )
