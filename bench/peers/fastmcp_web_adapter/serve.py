"""uvicorn on the loopback port that `PORT` names, as it comes, but that it keeps the adapter's idle connection."""

import os

import uvicorn

if __name__ == "__main__":
    uvicorn.run("app:app", port=int(os.environ["PORT"]), timeout_keep_alive=3600)
