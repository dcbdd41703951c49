"""The command line behind `make demo`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import NoReturn

from demo import verify
from demo.screen import Screen
from gateway.simulation import candidates, play
from gateway.simulation.client import Gateway, PlayError
from gateway.simulation.play import Exam, Record
from services.process import port_number
from services.server import HOME, Server
from services.stack import Stack, find_administrator, start_stack

TITLE = "Backend Challenge 2026"
HEARTBEAT_SEC = 2
MISSED_BEATS = 3
# Whoever ends the terminal or the job means the servers too.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo and return the exit code: 0 if every promise was kept."""
    arguments = _parse(argv)
    screen = Screen()
    for number in SIGNALS:
        signal.signal(number, _interrupt)
    screen.say(
        f"[bold]Podium[/bold]: {TITLE}, {arguments.candidates} candidates, "
        f"{min(arguments.workers, arguments.candidates)} at once\n"
    )
    try:
        stack = (
            _running(arguments.url)
            if arguments.url
            else start_stack(arguments.home, port=arguments.port, guest="demo")
        )
    except KeyboardInterrupt:
        screen.say("\nStopped before it began.")
        return 130
    try:
        return run(screen, stack, arguments)
    except KeyboardInterrupt:
        screen.say("\nStopped in the middle.")
        return 130
    except PlayError as error:
        screen.error(f"\n{error}")
        return 1
    finally:
        _ignore_signals()
        if not arguments.url:
            with screen.busy("Stopping what this demo has started ..."):
                others = stack.stop()
            left = f", but the servers, which {', '.join(others)} uses" if others else ""
            screen.say(
                f"Stopped what this demo had started{left}; the data stays until `make reset`."
            )


def _running(url: str) -> Stack:
    """Return a Podium that runs already, on whatever servers, from what the environment tells."""
    missing = [name for name in ("PODIUM_MYSQL_URL", "PODIUM_JWT_SECRET") if name not in os.environ]
    if missing:
        raise SystemExit(f"--url needs {' and '.join(missing)} of that Podium in the environment")
    mysql_url = os.environ["PODIUM_MYSQL_URL"]
    return Stack(
        mysql=Server(mysql_url, "url", "named by PODIUM_MYSQL_URL"),
        redis=Server("", "url", "the gateway's own"),
        gateway=Server(url.rstrip("/"), "url", "named by --url"),
        gateway_mysql_url="",
        secret=os.environ["PODIUM_JWT_SECRET"],
        admin_id=find_administrator(mysql_url),
    )


def run(screen: Screen, stack: Stack, arguments: argparse.Namespace) -> int:
    """Play the exam, check it, show it, and serve it."""
    with (
        closing(Gateway(stack.url, stack.secret, arguments.workers)) as gateway,
        closing(verify.Evidence(stack.mysql.url)) as evidence,
    ):
        exam, record, play_sec = play_exam(
            screen,
            gateway,
            stack.admin_token,
            count=arguments.candidates,
            workers=arguments.workers,
            seed=arguments.seed,
        )
        # As they are now: the checks are no candidates.
        timings = {kind: list(seconds) for kind, seconds in gateway.timings.items()}
        screen.heading("Is it all true? Podium's promises, checked on what was just played")
        with screen.busy("Checking ..."):
            checks = list(verify.verify(gateway, exam.organiser, evidence, record))
        screen.show_checks(checks)
        board = exam.organiser.get(f"/leaderboard?exam_id={exam.exam_id}&per_page=10")
        screen.show_standings(board["leaderboard"], f"Top ten of {board['total_participants']:,}")
        screen.heading("How fast it went, on this machine, candidates and servers together")
        screen.show_speed(timings, play_sec, len(record.acknowledged))
        failed = sum(not check.passed for check in checks)
        if failed:
            screen.error(f"\n{failed} of {len(checks)} checks FAILED.")
        else:
            screen.say(f"\n[bold green]All {len(checks)} checks passed.[/bold green]")
        if arguments.serve:
            _invite(screen, gateway, exam)
            _serve(screen, gateway)
    return 1 if failed else 0


def play_exam(
    screen: Screen, gateway: Gateway, admin_token: str, *, count: int, workers: int, seed: int
) -> tuple[Exam, Record, float]:
    """Play the exam, and return it, what the candidates were told, and the seconds it took."""
    exam = play.open_exam(gateway, admin_token, TITLE)
    record = Record(exam.exam_id)
    cast = candidates.invent(count, exam.exam_id, seed)
    screen.say()
    seconds = screen.follow(
        "Registering",
        play.register(exam.organiser, record, cast, workers),
        len(cast),
        lambda: len(record.user_ids),
    )
    screen.say(
        f"Exam {exam.exam_id} created, {len(cast)} candidates registered in {seconds:.1f} s."
    )
    began = time.perf_counter()
    seconds = screen.follow(
        "Playing",
        play.play(gateway, record, cast, workers),
        len(cast),
        lambda: record.finished,
        lambda: f"{len(record.acknowledged) / (time.perf_counter() - began):,.0f} scores/s",
        lambda: exam.organiser.get(f"/leaderboard?exam_id={exam.exam_id}&per_page=5", "watching")[
            "leaderboard"
        ],
    )
    screen.say(
        f"Exam played in {seconds:.1f} s: {len(record.acknowledged):,} submissions acknowledged, "
        f"{len(record.replays)} of them twice, {len(record.refused)} stale ones refused."
    )
    return exam, record, seconds


def _invite(screen: Screen, gateway: Gateway, exam: Exam) -> None:
    """Print lines to paste, with tokens that work."""
    about = f"exam_id={exam.exam_id}"
    screen.heading("Your turn: you have a session too, and have not handed anything in yet")
    screen.code(
        f"""
URL={gateway.url}/api/v1
YOU={gateway.token(exam.spare_id)}
STAFF={exam.organiser.token}

# The live board, as you and as staff: open it in a browser.
{gateway.url}/#token={gateway.token(exam.spare_id)}&{about}
{gateway.url}/#token={exam.organiser.token}&{about}

curl -sw '\\n' -H "Authorization: Bearer $YOU" "$URL/leaderboard?{about}&per_page=3"

curl -sw '\\n' -H "Authorization: Bearer $YOU" \\
  -H "Content-Type: application/json" "$URL/scores" \\
  -d '{{"session_id": {exam.spare_session_id}, "module_type": "coding",
      "raw_score": 85.5, "max_score": 100, "time_spent_sec": 2400}}'

curl -sw '\\n' -H "Authorization: Bearer $STAFF" \\
  "$URL/audit?{about}&session_id={exam.spare_session_id}"
"""
    )


def _serve(screen: Screen, gateway: Gateway) -> None:
    """Wait for Ctrl-C, or for somebody to stop the gateway."""
    missed = 0
    try:
        screen.say(f"Serving on {gateway.url} until Ctrl-C.")
        while missed < MISSED_BEATS:
            threading.Event().wait(HEARTBEAT_SEC)
            try:
                gateway.send("heartbeat", "GET", "/healthz", None)
                missed = 0
            except PlayError:
                missed += 1
    except KeyboardInterrupt:
        screen.say()
        return
    raise PlayError("The gateway does not answer any more.")


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """End what is going on, once: make sends a terminal's Ctrl-C a second time."""
    _ignore_signals()
    raise KeyboardInterrupt


def _ignore_signals() -> None:
    """Let nobody break off the stopping, which would leave servers that nobody knows of."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m demo", description="Play a real exam against real servers, and check it."
    )
    parser.add_argument("--candidates", type=_at_least_one, default=842, metavar="N")
    parser.add_argument(
        "--workers", type=_at_least_one, default=32, metavar="M", help="how many play at once (32)"
    )
    parser.add_argument("--seed", type=int, default=2026, help="another seed, other people (2026)")
    parser.add_argument(
        "--no-serve", dest="serve", action="store_false", help="end after the checks"
    )
    parser.add_argument(
        "--url",
        help="play at a gateway that runs already, with PODIUM_JWT_SECRET and the administrative "
        "PODIUM_MYSQL_URL of it",
    )
    parser.add_argument("--home", type=Path, default=HOME, help="folder of the servers (.local)")
    parser.add_argument(
        "--port",
        type=port_number,
        default=os.environ.get("PODIUM_PORT") or None,
        help="the gateway's port (PODIUM_PORT, or a free one)",
    )
    return parser.parse_args(argv)


def _at_least_one(text: str) -> int:
    """Read a number of candidates or workers."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
