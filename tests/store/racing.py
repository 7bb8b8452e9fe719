"""A process that counts in one record, by compare-and-swap: `python -m tests.store.racing KIND PLACE TIMES`.

It says `ready`, begins once it reads a line, and prints how often it lost.
"""

import sys
import time

import anyio

from store.dynamodb import DynamoStore
from store.protocol import Store
from store.sqlite import SqliteStore


async def count(store: Store, times: int) -> int:
    """Raise the number in the record `number` so often; how often another one was faster."""
    lost = 0
    while times:
        seen = await store.get("number", consistent=True)
        if seen is None:
            won = await store.insert("number", b"1")
        else:
            won = await store.replace(seen, b"%d" % (int(seen.record) + 1))
        times, lost = times - won, lost + (not won)
    return lost


async def main(kind: str, place: str, times: int) -> None:
    store: Store = SqliteStore(place) if kind == "sqlite" else DynamoStore(place, time.time)
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        print(await count(store, times), flush=True)
    finally:
        await store.aclose()


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2], int(sys.argv[3]))
