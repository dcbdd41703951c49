"""Servers that are set up for other things than Podium, and what must work on them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import mysql.connector
import pytest

from gateway import loader
from gateway.config import MysqlUrl
from gateway.loader import Release
from services import mysql as services_mysql
from services.server import ROOT
from tests.own_server import OwnServer
from tests.sql_harness import (
    make_exam,
    make_session,
    problems_of,
    result_sets,
    rows,
    stored_board,
    true_board,
)

GTID = ("--gtid-mode=ON", "--enforce-gtid-consistency=ON")
# What servers of one group that replicate each other are told to refuse.
ENGINES = "--disabled-storage-engines=MyISAM,BLACKHOLE,FEDERATED,ARCHIVE,MEMORY"


@pytest.fixture(
    params=[pytest.param((*GTID,), id="GTID"), pytest.param((*GTID, ENGINES), id="group")]
)
def connection(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Any]:
    """Connect to a server with these settings and Podium in it."""
    monkeypatch.setattr(services_mysql, "SETTINGS", (*services_mysql.SETTINGS, *request.param))
    home = tmp_path_factory.mktemp("settings")
    server = OwnServer(services_mysql.start_mysql, home, "mysqld", "mysql")
    try:
        arguments = MysqlUrl.parse(server.url).arguments
        with mysql.connector.connect(**arguments, autocommit=True) as admin:
            loader.upgrade(admin, Release.read(ROOT / "sql"))
            result_sets(admin, "USE podium")
            result_sets(admin, "SET default_tmp_storage_engine = MyISAM")
            yield admin
    finally:
        server.stop()


def test_an_exam_is_played(connection: Any) -> None:
    exam = make_exam(connection)
    sessions = [make_session(connection, exam) for _ in range(60)]

    def submit(raw: int, **fields: object) -> set[int]:
        items = [
            {
                "session_id": session_id,
                "module_type": "coding",
                "raw_score": raw + place % 50,
                "max_score": 100,
                "time_spent_sec": place,
                "details": {"place": place},
            }
            | fields
            for place, session_id in enumerate(sessions)
        ]
        [results] = result_sets(connection, "CALL submit_scores(%s, NULL)", (json.dumps(items),))
        return {row["status"] for row in results}

    assert submit(0) == {200}
    assert submit(50) == {200}
    assert submit(20, expected_version=1) == {409}
    assert stored_board(connection, exam) == true_board(connection, exam)
    assert problems_of(connection, exam) == []
    [kept] = rows(
        connection,
        "SELECT COUNT(*) AS audited, SUM(details IS NOT NULL) AS detailed FROM score_audit_log",
    )
    assert tuple(kept.values()) == (120, 120)
