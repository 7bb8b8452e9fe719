"""The command line: `python -m bench lambda`, `stream`, `tools` and `auth`."""

import argparse
import asyncio
import json
import sys

from bench import auth_bench, lambda_bench, stream_bench, tools_bench
from bench.calls import ERAS
from bench.report import Report, to_json, to_text


def main() -> None:
    """Run one benchmark and print what it found. A missed aim is no failure: the exit status tells of errors alone."""
    options = _parser().parse_args()
    report = asyncio.run(_run(options))
    _progress("")
    print(json.dumps(to_json(report), indent=1) if options.json else to_text(report))


async def _run(options: argparse.Namespace) -> Report:
    if options.benchmark == "tools":
        return await tools_bench.run(tools_bench.Options(options.calls, options.upstream_calls, options.era), _progress)
    if options.benchmark == "stream":
        return await stream_bench.run(stream_bench.Options(options.rounds, options.era), _progress)
    if options.benchmark == "auth":
        given = auth_bench.Options(options.rounds, options.calls, options.token_requests, options.era)
        return await auth_bench.run(given, _progress)
    return await lambda_bench.run(lambda_bench.Options(options.rounds, options.calls, options.era), _progress)


def _progress(words: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{words}", end="", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(dest="benchmark", required=True)
    peers = commands.add_parser("lambda", help="cold start and warm call on the emulated Lambda, beside the peers")
    peers.add_argument("--rounds", type=_positive, default=21, help="cold starts of each variant (%(default)s)")
    _calls(peers, 500)
    _common(peers)
    streams = commands.add_parser("stream", help="how long an event of a stream is under way")
    streams.add_argument("--rounds", type=_positive, default=10, help="streams of each kind (%(default)s)")
    _common(streams)
    tools = commands.add_parser("tools", help="every tool on the emulated Lambda; the Internet played by doubles")
    tools.add_argument(
        "--upstream-calls", type=_positive, default=20, help="calls of those that call out (%(default)s)"
    )
    _calls(tools, 100)
    _common(tools)
    tokens = commands.add_parser("auth", help="what users and tokens cost, beside the same server without them")
    tokens.add_argument("--rounds", type=_positive, default=21, help="cold starts of each kind (%(default)s)")
    tokens.add_argument(
        "--token-requests", type=_positive, default=200, help="token requests of each kind (%(default)s)"
    )
    _calls(tokens, 2000)
    _common(tokens)
    return parser


def _calls(parser: argparse.ArgumentParser, default: int) -> None:
    parser.add_argument("--calls", type=_positive, default=default, help="warm calls of each (%(default)s)")


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--era", choices=ERAS, default=ERAS[0], help="protocol version of the calls (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON, raw samples included")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


if __name__ == "__main__":
    main()
