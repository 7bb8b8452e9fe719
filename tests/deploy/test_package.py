"""What `sam build` puts into the package."""

import hashlib
import re
import stat
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.support.sam import ROOT
from tests.support.tools import require

pytestmark = pytest.mark.sam

MEGABYTE = 1_000_000

# e_machine of the ELF header.
X86_64, AARCH64 = 62, 183

# PEP 552: hash-based, and never checked against the source.
UNCHECKED_HASH = 0b01
MAGIC_OF_3_13 = 3571


def python_of_the_runtime() -> Path:
    found = subprocess.run([ROOT / "deploy/find-python", "3.13"], capture_output=True, text=True, check=False)
    path = Path(found.stdout.strip()) if found.returncode == 0 else None
    return require(path, "CPython 3.13", "uv python install 3.13")


def on_lambda(artifact: Path, code: str, **environment: str) -> str:
    """Run code as a sandbox would: the package is all there is beside the standard library, and warnings are errors."""
    python = python_of_the_runtime()
    command = [python, "-B", "-s", "-S", "-W", "error", "-c", code]
    done = subprocess.run(
        command, env={"PYTHONPATH": str(artifact), **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def digests(root: Path) -> dict[str, tuple[str, str]]:
    return {
        str(path.relative_to(root)): (stat.filemode(path.stat().st_mode), hashlib.sha256(path.read_bytes()).hexdigest())
        for path in root.rglob("*")
        if path.is_file()
    }


def machines(artifact: Path) -> dict[str, int]:
    libraries = {path.name: path.read_bytes()[:20] for path in artifact.rglob("*.so")}
    assert all(header.startswith(b"\x7fELF") for header in libraries.values())
    return {name: int.from_bytes(header[18:20], "little") for name, header in libraries.items()}


def test_the_zip_is_25_megabytes_at_most(artifact: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "package.zip", "w", zipfile.ZIP_DEFLATED) as package:
        for path in artifact.rglob("*"):
            package.write(path, path.relative_to(artifact))

    assert (tmp_path / "package.zip").stat().st_size <= 25 * MEGABYTE


def test_every_source_has_bytecode_that_is_never_checked_and_names_paths_on_lambda(artifact: Path) -> None:
    sources = list(artifact.rglob("*.py"))
    assert sources
    for source in sources:
        bytecode = (source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc").read_bytes()
        assert int.from_bytes(bytecode[:2], "little") == MAGIC_OF_3_13, source
        assert int.from_bytes(bytecode[4:8], "little") == UNCHECKED_HASH, source
        assert f"/var/task/{source.relative_to(artifact)}".encode() in bytecode


def test_python_starts_from_the_bytecode(artifact: Path) -> None:
    cached = on_lambda(artifact, "import lambda_asgi; print(lambda_asgi.__cached__)")

    assert Path(cached).read_bytes().startswith(MAGIC_OF_3_13.to_bytes(2, "little"))


def test_the_wrapper_can_be_executed_and_everything_can_be_read(artifact: Path) -> None:
    assert stat.filemode((artifact / "lambda_asgi/bootstrap").stat().st_mode) == "-rwxr-xr-x"
    modes = {stat.filemode(path.stat().st_mode) for path in artifact.rglob("*")}
    assert modes <= {"-rwxr-xr-x", "-rw-r--r--", "drwxr-xr-x"}


def test_the_app_is_in_it_and_what_only_developers_need_is_not(artifact: Path) -> None:
    ours = {path.parent.name for path in (ROOT / "src").glob("*/__init__.py")}
    shipped = {name for name in ours if (artifact / name).is_dir()}
    assert shipped == ours - {"mcpx", "sandbox"}

    found = {
        str(path.relative_to(artifact))
        for pattern in ("mcpx", "sandbox", "lambda_asgi/emulator*", "**/tests", "bin", "**/*.pyi", "*.txt", "**/.lock")
        for path in artifact.glob(pattern)
    }
    assert found == set()


def test_our_sources_are_shipped_as_they_are_pages_and_stylesheets_included(artifact: Path) -> None:
    ours = [
        path for name in ("auth", "mcp_app", "store") for path in (ROOT / "src" / name).rglob("*") if path.is_file()
    ]
    shipped = [path for path in ours if path.suffix not in {".pyc", ".md"}]
    assert {path.suffix for path in shipped} > {".py"}
    for source in shipped:
        assert (artifact / source.relative_to(ROOT / "src")).read_bytes() == source.read_bytes()


def test_every_locked_dependency_is_in_it_in_the_locked_version(artifact: Path) -> None:
    locked = {each["name"]: each.get("version") for each in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}
    found = {}
    for metadata in artifact.glob("*.dist-info/METADATA"):
        headers = dict(re.findall(r"^(Name|Version): (.+)$", metadata.read_text(), re.MULTILINE))
        found[re.sub(r"[-_.]+", "-", headers["Name"]).lower()] = headers["Version"]

    assert found
    assert {name: version for name, version in found.items() if locked.get(name) != version} == {}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert {re.match(r"[a-z0-9-]+", each)[0] for each in project} <= found.keys()


def test_libraries_are_for_x86_64(artifact: Path) -> None:
    assert set(machines(artifact).values()) == {X86_64}


def test_libraries_are_for_arm64_and_the_rest_is_the_same(artifact: Path, arm64_artifact: Path) -> None:
    assert set(machines(arm64_artifact).values()) == {AARCH64}

    def others(root: Path) -> dict[str, tuple[str, str]]:
        return {path: digest for path, digest in digests(root).items() if not path.endswith((".so", "METADATA"))}

    assert others(arm64_artifact) == others(artifact)


def test_two_builds_give_the_same_tree(built: Path) -> None:
    assert digests(built / "McpFunction") == digests(built / "HttpApiFunction")


def test_boto_knows_the_services_that_are_used_and_no_others(artifact: Path) -> None:
    code = """
import boto3
for name in ("dynamodb", "kms", "secretsmanager"):
    boto3.client(name, region_name="eu-central-1", aws_access_key_id="k", aws_secret_access_key="s")
print(*boto3.session.Session().get_available_services())
"""
    assert on_lambda(artifact, code).split() == ["dynamodb", "kms", "secretsmanager"]


@pytest.mark.parametrize(
    "module",
    [
        "bcrypt",
        "cryptography.hazmat.bindings._rust",
        "httpx2",
        "jinja2",
        "jwt",
        "mangum",
        "mcp.server",
        "opentelemetry.trace",
        "zipcodes",
    ],
)
def test_a_library_can_be_imported_from_the_pruned_package(artifact: Path, module: str) -> None:
    assert on_lambda(artifact, f"import {module}; print({module}.__file__)").startswith(str(artifact))


@pytest.mark.parametrize(("door", "attribute"), [("function_url", "app"), ("http_api", "handler")])
def test_a_door_opens_from_the_package(artifact: Path, door: str, attribute: str) -> None:
    code = f"import handlers.{door}; print(callable(handlers.{door}.{attribute}))"

    assert on_lambda(artifact, code, AUTH_MODE="noauth", ALLOW_PUBLIC_NOAUTH="true").splitlines()[-1] == "True"
