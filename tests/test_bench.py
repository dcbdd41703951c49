"""The bench measures what it says: a short load through each kind of client, and its reports."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import document, report
from bench.boards import Board
from bench.crew import LoadFailed, Sample, Turn
from bench.database import Database, WrongBoard
from bench.figures import Aim, Figure, Measured
from bench.http_clients import Client, Scores, http_crew
from bench.sql_clients import (
    BareArray,
    BareProcedure,
    BareTransaction,
    LoadBoards,
    ReadPage,
    SubmitAndRebuild,
    SubmitScore,
    SubmitScores,
    sql_crew,
)
from gateway.config import MysqlUrl
from tests.client import Api
from tests.conftest import SECRET

CANDIDATES = 40
# Three calls of each client, however long they take.
SHORT = Turn(0, least=3)


@pytest.fixture(scope="module")
def account(mysql_url: str) -> dict[str, str | int]:
    """Return how the clients connect."""
    return MysqlUrl.parse(mysql_url).arguments


@pytest.fixture(scope="module")
def database(mysql_url: str) -> Iterator[Database]:
    """Return the bench's way into the tests' database."""
    database = Database(mysql_url)
    database.install_references()
    yield database
    database.query("DROP DATABASE podium_bench")
    database.close()


@pytest.fixture(scope="module")
def board(database: Database, account: dict[str, str | int]) -> Board:
    """Return a board that was filled through submit_scores."""
    board = database.make_board(CANDIDATES, 1)
    with (
        database.verified([board]) as verification,
        sql_crew(account, LoadBoards((board,)), 1) as crew,
    ):
        verification.acknowledged = crew.run(Turn(60)).acknowledged
    assert verification.acknowledged == CANDIDATES
    database.copy_to_references(board)
    return board


def test_a_filled_board_is_found_again(database: Database, board: Board) -> None:
    assert database.find_board(CANDIDATES, 1) == board
    assert database.find_board(CANDIDATES, 2) is None


def test_submissions_over_sql_are_counted_as_the_history_has_them(
    database: Database, board: Board, account: dict[str, str | int]
) -> None:
    with (
        database.verified([board]) as verification,
        sql_crew(account, SubmitScore((board,)), 2) as single,
        sql_crew(account, SubmitScores(board, 5), 1) as array,
    ):
        assert single.run(SHORT).acknowledged == 6
        assert array.run(SHORT).acknowledged == 15
        verification.acknowledged = single.acknowledged + array.acknowledged


def test_the_references_do_what_they_stand_for(
    database: Database, board: Board, account: dict[str, str | int]
) -> None:
    with (
        database.verified_references() as acknowledged,
        sql_crew(account, SubmitAndRebuild(board), 2) as rebuild,
        sql_crew(account, BareTransaction(board), 2) as bare,
        sql_crew(account, BareProcedure(board), 2) as procedure,
        sql_crew(account, BareTransaction(board, in_order=True), 2) as ordered,
        sql_crew(account, BareArray(board, 5), 2) as bare_array,
    ):
        acknowledged["rebuild"] = rebuild.run(SHORT).acknowledged
        acknowledged["bare"] = sum(
            crew.run(SHORT).acknowledged for crew in (bare, procedure, ordered, bare_array)
        )
    assert acknowledged == {"rebuild": 6, "bare": 18 + 30}


def test_a_page_is_read_from_the_database(board: Board, account: dict[str, str | int]) -> None:
    with sql_crew(account, ReadPage(board, 2, 25), 1) as crew:
        assert crew.run(SHORT).acknowledged == 3


def test_requests_over_http_are_counted_as_the_history_has_them(
    database: Database, board: Board, api: Api
) -> None:
    scores = Scores("/api/v1/scores", board, SECRET, 4)
    with database.verified([board]) as verification, http_crew(api.url, scores, 4) as crew:
        verification.acknowledged = crew.run(SHORT).acknowledged
    assert verification.acknowledged == 12


def test_an_answer_in_pieces_is_one_answer() -> None:
    server, socket_of_client = socket.socketpair()
    with server, socket_of_client:
        client = Client(socket_of_client, [])
        for piece in (b"HTTP/1.1 200 OK\r\ncont", b"ent-length: 5\r\n\r\n", b"hel"):
            server.sendall(piece)
            assert client.receive() is None
        server.sendall(b"lo")
        assert client.receive() == b"HTTP/1.1 200 OK\r\ncontent-length: 5"


def test_an_answer_other_than_200_ends_the_load(board: Board, api: Api) -> None:
    with http_crew(api.url, Scores("/api/v1/scores", board, "x" * 32, 2), 2) as crew:
        with pytest.raises(LoadFailed, match="401"):
            crew.run(SHORT)


def test_a_lost_submission_is_noticed(database: Database, board: Board) -> None:
    with pytest.raises(WrongBoard, match="1 submissions were acknowledged, 0 are in the audit"):
        with database.verified([board]) as verification:
            verification.acknowledged = 1


def test_a_wrong_board_is_noticed(mysql_url: str, board: Board) -> None:
    database = Database(mysql_url)
    moved = "UPDATE podium.leaderboards SET total_participants = total_participants + %s"
    database.query(f"{moved} WHERE board_id = %s", 1, board.board_id)
    with pytest.raises(WrongBoard, match="total_participants"), database.verified([board]):
        pass
    database.query(f"{moved} WHERE board_id = %s", -1, board.board_id)
    database.close()


def test_a_database_with_other_exams_is_refused(database: Database, api: Api) -> None:
    api.post("/exams", {"title": "Not the bench's"})
    with pytest.raises(SystemExit, match="not the bench's"):
        database.require_own()


def test_a_sample_knows_its_rate_and_its_percentiles() -> None:
    sample = Sample(acknowledged=200, began=1.0, ended=3.0)
    sample.latencies.extend(n / 1000 for n in range(1, 101))
    assert sample.rate == 100
    assert sample.mean_ms == pytest.approx(50.5)
    assert sample.percentile_ms(99) == pytest.approx(100)


@pytest.mark.parametrize(
    ("aim", "met"),
    [
        (Aim("at least", 0.5), True),
        (Aim("at most", 0.5), True),
        (Aim("above", 0.5), False),
        (Aim("at least", 0.51), False),
    ],
)
def test_an_aim_is_held_against_the_ratio_of_the_medians(aim: Aim, met: bool) -> None:
    assert _figure(aim).met is met


def test_results_become_a_page_with_table_and_plots(tmp_path: Path) -> None:
    (tmp_path / "benchmarks.md").write_text(f"# Before\n{document.BEGIN}\n{document.END}\nafter\n")
    written = document.write(_results(), tmp_path)
    page = written[0].read_text()
    assert "| ours | 100 /s | theirs | 200 /s | 0.5 | 0.5 .. 0.5 | at least 0.25 | yes |" in page
    assert page.startswith("# Before\n") and page.endswith("after\n")
    assert [path.name for path in written[1:]] == ["throughput.svg", "latency.svg"]
    assert all(path.read_text().startswith("<svg") for path in written[1:])
    # Again, it replaces what it wrote.
    document.write(_results(), tmp_path)
    assert written[0].read_text() == page


def test_results_are_kept_by_the_time_of_the_run(tmp_path: Path) -> None:
    assert report.save(_results(), tmp_path).name == "2026-11-24-090000.json"


def _figure(aim: Aim) -> Figure:
    return Figure(
        "name", "/s", Measured("ours", [90, 100, 300]), Measured("theirs", [200] * 3), aim
    )


def _results() -> dict[str, Any]:
    even = Figure(
        "name", "/s", Measured("ours", [100]), Measured("theirs", [200]), Aim("at least", 0.25)
    )
    return {
        "command": "make bench",
        "took_sec": 60,
        "plan": {"rounds": 1, "seconds": 1, "candidates": 10},
        "environment": {
            "time": "2026-11-24T09:00:00+00:00",
            "commit": "abc",
            "cores": 2,
            "processor": "a processor",
            "memory_gb": 8,
            "system": "Linux",
            "python": "3.11",
            "mysql": {
                "version": "9.7.4",
                "sync_binlog": 1,
                "innodb_flush_log_at_trx_commit": 1,
                "innodb_buffer_pool_size": 2**29,
            },
            "redis": "8.0",
            "disk_flush_ms": 0.2,
        },
        "collisions": 0,
        "loaded": [{"candidates": 10, "seconds": 1}],
        "figures": [even.as_json()],
        "curves": {
            "throughput": {"submit_score": [[1000, 500], [10000, 400]]},
            "latency": {"POST /scores": [[50, 2.5], [99.9, 30]]},
        },
        "failures": [],
    }
