"""uvicorn on the loopback port that `PORT` names; no access log, and the adapter's idle connection is kept."""

import os

import uvicorn

if __name__ == "__main__":
    uvicorn.run("app:app", port=int(os.environ["PORT"]), timeout_keep_alive=3600, log_level="warning", access_log=False)
