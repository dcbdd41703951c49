"""flask --app gateway import: the file is the truth, and each of its lines is accounted for."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from gateway.cli import cells
from gateway.cli.importing import import_scores
from tests.sql_harness import call, make_exam, problems_of, unique_name
from tests.sql_harness import rows as rows_of

SAMPLES = sorted(
    file
    for file in (Path(__file__).parent / "data" / "imports").iterdir()
    if file.suffix in (".csv", ".txt")
)
HEADER = "username,full_name,module_type,raw_score,max_score,time_spent_sec"
SUMMARY = re.compile(
    r"([\d,]+) rows?: ([\d,]+) (?:would be )?loaded, ([\d,]+) unchanged, ([\d,]+) rejected\."
)


class Outcome(NamedTuple):
    """What an import printed: its exit code, its counts, all of it, and its rejected rows."""

    code: int
    rows: int
    loaded: int
    unchanged: int
    rejected: int
    text: str
    rejects: list[dict[str, str]]


Load = Callable[..., Outcome]


@pytest.fixture
def load(gateway_mysql_url: str, tmp_path: Path) -> Load:
    """Return a function that imports a file, given by its text or bytes, into an exam."""

    def load_file(exam_id: int, content: str | bytes, *options: str) -> Outcome:
        file = tmp_path / "scores.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        done = CliRunner().invoke(
            import_scores,
            [str(file), "--exam", str(exam_id), *options],
            env={"PODIUM_MYSQL_URL": gateway_mysql_url},
        )
        found = SUMMARY.search(done.output)
        assert found, (done.output, done.exception)
        total, loaded, unchanged, bad = (int(n.replace(",", "")) for n in found.groups())
        assert total == loaded + unchanged + bad
        rejected = file.with_name("scores.csv.rejected.csv")
        rejects: list[dict[str, str]] = []
        if rejected.exists():
            separator = rejected.read_text("utf-8-sig")[len("line")]
            with rejected.open(encoding="utf-8-sig", newline="") as text:
                rejects = list(csv.DictReader(text, delimiter=separator))
        assert len(rejects) == bad
        return Outcome(done.exit_code, total, loaded, unchanged, bad, done.output, rejects)

    return load_file


def scores(*rows: str, header: str = HEADER) -> str:
    """Return the text of a file."""
    return "\n".join([header, *rows, ""])


def board(admin: Any, exam_id: int) -> dict[str, float]:
    """Return the total score of each user on a board."""
    rows = call(admin, "export_leaderboard", exam_id)[0]
    return {row["username"]: float(row["total_score"]) for row in rows if row["user_id"]}


def revision(admin: Any, exam_id: int) -> int:
    """Return where a board stands."""
    return int(call(admin, "get_exam", exam_id)[0][0]["revision"])


def finish(admin: Any, exam_id: int) -> None:
    """Finish every session of an exam."""
    for row in rows_of(
        admin, "SELECT session_id FROM exam_sessions WHERE exam_id = %s", (exam_id,)
    ):
        call(admin, "finish_session", row["session_id"], None)


def attempts(admin: Any, exam_id: int) -> list[tuple[int, float]]:
    """Return number and total of each attempt at an exam."""
    found = rows_of(
        admin,
        "SELECT attempt_no, total_score FROM exam_sessions WHERE exam_id = %s ORDER BY 1",
        (exam_id,),
    )
    return [(row["attempt_no"], float(row["total_score"])) for row in found]


# The file is the truth.


def test_the_same_file_again_changes_nothing(load: Load, admin: Any) -> None:
    exam_id, name = make_exam(admin), unique_name()
    rows = [f"{name}-{n},A,quiz,{n % 30},{n % 7 + 30}.5,{n}" for n in range(700)]
    assert load(exam_id, scores(*rows))[:5] == (0, 700, 700, 0, 0)
    before = revision(admin, exam_id)
    assert load(exam_id, scores(*rows))[:5] == (0, 700, 0, 700, 0)
    assert revision(admin, exam_id) == before
    assert problems_of(admin, exam_id) == []


def test_a_corrected_earlier_row_does_not_overtake_a_later_one(load: Load, admin: Any) -> None:
    exam_id, name = make_exam(admin), unique_name()
    first, second = f"{name},A,quiz,50,100,60", f"{name},A,quiz,80,100,60"
    assert load(exam_id, scores(first, second)).loaded == 1
    again = load(exam_id, scores(first.replace("50", "55"), second))
    assert again[:5] == (0, 2, 0, 2, 0)
    assert board(admin, exam_id) == {name: 24.0}


def test_a_file_undoes_what_came_after_it(load: Load, admin: Any) -> None:
    exam_id, name = make_exam(admin), unique_name()
    one, other = scores(f"{name},A,quiz,50,100,60"), scores(f"{name},A,quiz,80,100,90")
    for file, total in ((one, 15.0), (other, 24.0), (one, 15.0), (other, 24.0)):
        assert load(exam_id, file).loaded == 1
        assert board(admin, exam_id) == {name: total}


def test_a_shortened_and_a_longer_file_bring_the_board_to_their_last_row(
    load: Load, admin: Any
) -> None:
    exam_id, name = make_exam(admin), unique_name()
    rows = [f"{name},A,quiz,{points},100,60" for points in (50, 60, 70)]
    for count, loaded in ((3, 1), (2, 1), (1, 1), (3, 1)):
        assert load(exam_id, scores(*rows[:count])).loaded == loaded
        assert board(admin, exam_id) == {name: (40 + 10 * count) * 0.3}


def test_what_a_grader_changed_is_brought_back(load: Load, admin: Any) -> None:
    exam_id, name = make_exam(admin), unique_name()
    file = scores(f"{name},A,quiz,50,100,60", f"{name},A,coding,10,100,60")
    load(exam_id, file)
    [session] = rows_of(
        admin, "SELECT session_id FROM exam_sessions WHERE exam_id = %s", (exam_id,)
    )
    call(admin, "submit_score", session["session_id"], "quiz", 90, 100, 60, *[None] * 4)
    assert load(exam_id, file)[:5] == (0, 2, 1, 1, 0)
    assert board(admin, exam_id) == {name: 20.0}


def test_two_ways_to_write_a_name_are_one_candidate(load: Load, admin: Any) -> None:
    exam_id, name = make_exam(admin), unique_name()
    file = scores(f"{name},A,quiz,50,100,60", f"{name.upper()},A,quiz,80,100,60")
    for loaded in (1, 0):
        assert load(exam_id, file).loaded == loaded
        assert board(admin, exam_id) == {name: 24.0}


def test_an_import_renames_nobody_and_says_so(load: Load, admin: Any) -> None:
    exam_id, name = make_exam(admin, 2), unique_name()
    assert "rename" not in load(exam_id, scores(f"{name},A,quiz,50,100,60")).text
    assert "rename" not in load(exam_id, scores(f"{name}, A ,quiz,50,100,60")).text
    for other, option in (("Alfred", "--as-is"), ("a", "--dry-run")):
        rows = [f"{name},{other},quiz,50,100,60", f"{name.upper()},{other},coding,50,100,60"]
        told = load(exam_id, scores(*rows, f"{name}-{other},B,quiz,1,2,3"), option)
        assert "1 full name differs from the file's: an import does not rename" in told.text
    found = rows_of(admin, "SELECT full_name FROM users WHERE username = %s", (name,))
    assert [row["full_name"] for row in found] == ["A"]


def test_a_row_that_a_later_one_replaces_is_unchanged(load: Load, admin: Any) -> None:
    exam_id, name = make_exam(admin), unique_name()
    file = scores(*(f"{name},A,coding,{points},100,60" for points in (50, 80, 50, 80)))
    assert load(exam_id, file, "--dry-run")[:5] == (0, 4, 1, 3, 0)
    for loaded in (1, 0):
        assert load(exam_id, file)[:5] == (0, 4, loaded, 4 - loaded, 0)
    log = call(admin, "get_audit_trail", exam_id, None, None, None)[0]
    assert [row["new_raw_score"] for row in log] == [80]


def test_the_row_before_takes_the_place_of_one_that_mysql_refuses(
    load: Load, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    exam_id, name = make_exam(admin), unique_name()
    # As if this command knew less than MySQL does.
    monkeypatch.setattr("gateway.cli.importing.Validator.problem", lambda *_: None)
    long = "9" * 15
    file = scores(
        f"{name},A,coding,50,100,60", f"{name},A,coding,80,100,60", f"{name},A,coding,1,{long},60"
    )
    for loaded in (1, 0):
        assert load(exam_id, file)[:5] == (1, 3, loaded, 2 - loaded, 1)
        assert board(admin, exam_id) == {name: 40.0}


def test_a_dry_run_tells_what_would_change_and_changes_nothing(
    load: Load, admin: Any, row_counts: Callable[[], dict[str, int]]
) -> None:
    exam_id, name = make_exam(admin), unique_name()
    rows = [f"{name},A,quiz,50,100,60", f"{name},A,coding,10,100,60"]
    load(exam_id, scores(*rows))
    before = row_counts()
    rows[0] = rows[0].replace("50", "55.5")
    told = load(exam_id, scores(*rows, f"{name}-b,B,quiz,1,3,60"), "--dry-run")
    assert told[:5] == (0, 3, 2, 1, 0)
    assert "50/100 60 s  55.5/100 60 s" in told.text
    assert "1 candidate would be created." in told.text
    assert row_counts() == before


def test_a_dry_run_rejects_what_the_run_rejects(load: Load, admin: Any) -> None:
    exam_id, name = make_exam(admin), unique_name()
    file = scores(
        f"{name},A,quiz,50,100,60",
        f"{name},A,chess,50,100,60",
        f"{name},A,quiz,101,100,60",
        f"{name},A,quiz,-1,100,60",
        f"{'x' * 65},A,quiz,50,100,60",
        ",A,quiz,50,100,60",
        f"{name}-b,,quiz,50,100,60",
    )
    dry, run = load(exam_id, file, "--dry-run"), load(exam_id, file)
    assert dry[:5] == run[:5] == (1, 7, 1, 0, 6)
    assert dry.rejects == run.rejects


# Attempts.


def test_a_correction_goes_to_the_attempt_that_counts_though_it_is_finished(
    load: Load, admin: Any
) -> None:
    exam_id, name = make_exam(admin, max_attempts=2), unique_name()
    load(exam_id, scores(f"{name},A,quiz,50,100,60"))
    finish(admin, exam_id)
    assert load(exam_id, scores(f"{name},A,quiz,80,100,60"))[:5] == (0, 1, 1, 0, 0)
    assert attempts(admin, exam_id) == [(1, 24.0)]


def test_a_correction_comes_after_the_end_of_the_exam(load: Load, admin: Any, query: Any) -> None:
    exam_id, name = make_exam(admin), unique_name()
    load(exam_id, scores(f"{name},A,quiz,50,100,60"))
    query("UPDATE exams SET ends_at = UTC_TIMESTAMP(6) WHERE exam_id = %s", exam_id)
    late = load(
        exam_id, scores(f"{name},A,quiz,80,100,60", f"{name}-b,B,quiz,80,100,60"), "--dry-run"
    )
    assert load(exam_id, scores(f"{name},A,quiz,80,100,60"))[:5] == (0, 1, 1, 0, 0)
    assert late[:5] == (1, 2, 1, 0, 1)
    assert late.rejects[0]["reason"].startswith("exam_ended: ")
    assert attempts(admin, exam_id) == [(1, 24.0)]


@pytest.mark.parametrize(("policy", "place"), [("best", 1), ("latest", 1), ("first", 0)])
def test_of_two_attempts_the_one_that_counts_is_corrected(
    load: Load, admin: Any, policy: str, place: int
) -> None:
    exam_id, name = make_exam(admin, 2, policy), unique_name()
    header = HEADER + ",attempt_no"
    load(exam_id, scores(f"{name},A,quiz,50,100,60,1", header=header))
    finish(admin, exam_id)
    second = scores(f"{name},A,quiz,60,100,60,2", header=header)
    assert load(exam_id, second).rejects[0]["reason"].startswith("attempt_not_found: ")
    assert load(exam_id, second, "--start-attempts").loaded == 1
    finish(admin, exam_id)
    file = scores(f"{name},A,quiz,80,100,60")
    assert load(exam_id, file).loaded == 1
    wanted = [(1, 15.0), (2, 18.0)]
    wanted[place] = (place + 1, 24.0)
    assert attempts(admin, exam_id) == wanted
    assert load(exam_id, file)[:5] == (0, 1, 0, 1, 0)


def test_an_attempt_that_is_named_is_the_one(load: Load, admin: Any) -> None:
    exam_id, name = make_exam(admin, 2), unique_name()
    header = HEADER + ",attempt_no"
    load(exam_id, scores(f"{name},A,quiz,50,100,60,1", header=header))
    finish(admin, exam_id)
    load(exam_id, scores(f"{name},A,quiz,60,100,60,2", header=header), "--start-attempts")
    file = scores(
        f"{name},A,quiz,10,100,60,1",
        f"{name},A,quiz,20,100,60,2",
        f"{name},A,quiz,20,100,60,3",
        f"{name},A,quiz,20,100,60,0",
        header=header,
    )
    assert load(exam_id, file)[:5] == (1, 4, 2, 0, 2)
    assert attempts(admin, exam_id) == [(1, 3.0), (2, 6.0)]


def test_what_could_make_another_attempt_count_is_not_guessed(load: Load, admin: Any) -> None:
    exam_id, name = make_exam(admin, 2), unique_name()
    header = HEADER + ",attempt_no"
    load(exam_id, scores(f"{name},A,quiz,50,100,60,1", header=header))
    finish(admin, exam_id)
    load(exam_id, scores(f"{name},A,quiz,60,100,60,2", header=header), "--start-attempts")
    lower = load(exam_id, scores(f"{name},A,quiz,40,100,60"))
    assert lower.rejects[0]["reason"].startswith("attempt_not_certain: ")
    assert attempts(admin, exam_id) == [(1, 15.0), (2, 18.0)]


@pytest.mark.parametrize("swapped", [False, True])
def test_rows_without_an_attempt_beside_rows_with_one_are_rejected(
    load: Load, admin: Any, swapped: bool
) -> None:
    exam_id, name, other = make_exam(admin, 2), unique_name(), unique_name()
    load(exam_id, scores(f"{name},A,coding,60,100,100"))
    finish(admin, exam_id)
    rows = [
        f"{name},A,coding,90,100,100,2",
        f"{name.upper()},Other,quiz,50,100,100,",
        f"{other},B,coding,60,100,100,",
    ]
    file = scores(*(rows[::-1] if swapped else rows), header=HEADER + ",attempt_no")
    for loaded in (2, 0):
        told = load(exam_id, file, "--start-attempts")
        assert told[:5] == (1, 3, loaded, 2 - loaded, 1)
        assert told.rejects[0]["reason"].startswith("attempt_not_certain: ")
        assert "in all of their rows" in told.rejects[0]["reason"]
        assert board(admin, exam_id) == {name: 45.0, other: 30.0}


def test_rows_that_make_another_attempt_count_move_none_that_names_none(
    load: Load, admin: Any
) -> None:
    exam_id, name = make_exam(admin, 2), unique_name()
    header = HEADER + ",attempt_no"
    load(exam_id, scores(f"{name},A,coding,20,100,100"))
    finish(admin, exam_id)
    second = scores(f"{name},A,coding,40,100,100,2", header=header)
    load(exam_id, second, "--start-attempts")
    finish(admin, exam_id)
    file = scores(f"{name},A,coding,100,100,100,1", f"{name},A,quiz,100,100,100,", header=header)
    for loaded in (1, 0):
        assert load(exam_id, file)[:5] == (1, 2, loaded, 1 - loaded, 1)
        assert attempts(admin, exam_id) == [(1, 50.0), (2, 20.0)]


def test_a_candidate_is_not_created_by_a_name_that_is_rejected(load: Load, admin: Any) -> None:
    exam_id, name = make_exam(admin), unique_name()
    file = scores(
        f"{name.upper()},Other,quiz,50,100,60,",
        f"{name},A,coding,60,100,60,1",
        header=HEADER + ",attempt_no",
    )
    assert load(exam_id, file, "--start-attempts")[:5] == (1, 2, 1, 0, 1)
    assert board(admin, exam_id) == {name: 30.0}


def test_an_attempt_that_waits_for_another_says_for_which(load: Load, admin: Any) -> None:
    exam_id, name = make_exam(admin, 3), unique_name()
    first, second, third = (f"{name},A,quiz,50,100,60,{number}" for number in (1, 2, 3))
    header = HEADER + ",attempt_no"
    told = load(exam_id, scores(first, second, header=header), "--start-attempts")
    assert told[:5] == (1, 2, 1, 0, 1)
    assert told.rejects[0]["reason"].startswith("attempt_not_found: ")
    assert "Import the rows of attempt 1, finish it" in told.rejects[0]["reason"]
    for options in ((), ("--start-attempts",)):
        told = load(exam_id, scores(second, third, header=header), *options)
        reasons = [row["reason"] for row in told.rejects]
        assert "attempt 1 is in progress. Finish it first" in reasons[0]
        assert "Import the rows of attempt 2, finish it" in reasons[1]
    finish(admin, exam_id)
    assert load(exam_id, scores(second, header=header), "--start-attempts").loaded == 1


# Dialects.


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.name)
def test_the_files_of_spreadsheets_are_loaded(load: Load, admin: Any, file: Path) -> None:
    exam_id = make_exam(admin)
    options = ["--encoding", "windows-1252"] if "1252" in file.name else []
    assert load(exam_id, file.read_bytes(), *options)[:5] == (0, 4, 4, 0, 0)
    entries = call(admin, "export_leaderboard", exam_id)[0]
    assert [
        (entry["rank"], entry["full_name"], float(entry["total_score"])) for entry in entries
    ] == [
        (1, "Jürgen Müller", 60.1),
        (2, 'Bob "Rock" Stone', 30.0),
        (3, "Chen, Alice", 24.75),
    ]
    details = rows_of(
        admin,
        "SELECT m.details FROM module_scores AS m INNER JOIN exam_sessions AS s"
        " ON s.session_id = m.session_id WHERE s.exam_id = %s AND m.module_type = 'coding'",
        (exam_id,),
    )
    assert details == [{"details": '{"tests": 17}'}]


ROW = "bob,Bob,quiz,{},100,60"


@pytest.mark.parametrize(
    ("content", "options", "why"),
    [
        (scores('q1,"Bob,quiz,50,100,60', "q2,Bea,quiz,50,100,60"), (), "not closed"),
        (scores('q1,"Bob" B,quiz,50,100,60'), (), "is closed within a cell"),
        (scores('q1,5" tall,quiz,50,100,60'), (), "stands alone"),
        (scores('q1,"B', 'ob",quiz,50,100,60'), (), "not closed"),
        (
            scores('a,A,quiz,1,2,3,"{}', 'b,B,quiz,1,2,3,"', header=HEADER + ",details"),
            (),
            "runs on to line 3",
        ),
        (scores("bob;Bob;quiz;1,234;2,500;60", header=HEADER.replace(",", ";")), (), "--decimal"),
        (scores("bob;Bob;quiz;1.234;2.500;60", header=HEADER.replace(",", ";")), (), "--decimal"),
        (
            scores(
                "bob;Bob;quiz;33,5;50;60",
                "bea;Bea;quiz;33.5;50;60",
                header=HEADER.replace(",", ";"),
            ),
            (),
            "not both",
        ),
        ("sep=;\n" + scores(ROW.format(50)), (), "does not name"),
        ("sep=!\n" + scores(ROW.format(50)), (), "declares no separator"),
        (scores(ROW.format(50)).encode("utf-16-le"), (), "zero bytes"),
        (scores(ROW.format(50), header=HEADER + ",colour"), (), "the first line names 'colour'"),
        (scores(ROW.format(50), header=HEADER + ",username"), (), "names a column twice"),
        ("", (), "the file is empty"),
        (b"PK\x03\x04" + bytes(range(256)), (), "is a workbook"),
    ],
)
def test_what_is_not_certain_is_refused_before_anything_is_loaded(
    load: Load, admin: Any, content: str | bytes, options: tuple[str, ...], why: str
) -> None:
    exam_id = make_exam(admin)
    refused = load(exam_id, content, *options)
    assert refused.code == 2
    assert (refused.loaded, refused.unchanged) == (0, 0)
    assert why in refused.text, refused.text
    assert board(admin, exam_id) == {}


def test_a_quote_that_is_never_closed_swallows_nobody(load: Load, admin: Any) -> None:
    rows = [f"q{n},Bob,quiz,50,100,60" for n in range(2000)]
    rows[1] = 'q1,"Bob,quiz,50,100,60'
    refused = load(make_exam(admin), scores(*rows))
    assert refused[:5] == (2, 2000, 0, 0, 2000)
    assert [row["content"] for row in refused.rejects] == rows
    assert [row["line"] for row in refused.rejects] == [str(n) for n in range(2, 2002)]
    assert "line 3: the quote before 'Bob,quiz,50,100,60'" in refused.text


def test_the_decimal_mark_can_be_said(load: Load, admin: Any) -> None:
    exam_id, name = make_exam(admin), unique_name()
    file = scores(f"{name};Bob;quiz;1,234;2,000;60", header=HEADER.replace(",", ";"))
    assert load(exam_id, file, "--decimal", "comma").loaded == 1
    assert board(admin, exam_id) == {name: 18.51}


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("bob,Bob,quiz,1E+01,100,60", "shortened by a spreadsheet"),
        ("bob,Bob,quiz,05-Mar,100,60", "a date or a time"),
        ("bob,Bob,quiz,2026-03-05,100,60", "a date or a time"),
        ("bob,Bob,quiz,50,100,0:45:00", "a date or a time"),
        ("bob,Bob,quiz,'50,100,60", "text in the spreadsheet"),
        ("bob,Bob,quiz,50,1.000.000,60", "thousands"),
        ('bob,Bob,quiz,50,"1,000.5",60', "thousands"),
        ("bob,Bob,quiz,1 000,10000,60", "thousands"),
        ("bob,Bob,quiz,1'000,10000,60", "thousands"),
        ("bob,Bob,quiz,50%,100,60", "must be a number"),
        ("bob,Bob,quiz,+50,100,60", "must be a number"),
        ("bob,Bob,quiz,050,100,60", "must be a number"),
        ("bob,Bob,quiz,٥٠,100,60", "must be a number"),
        ("bob,Bob,quiz,NaN,100,60", "must be a number"),
        ("bob,Bob,quiz,,100,60", "must be a number"),
        ("bob,Bob,quiz,0.1234567890123456,100,60", "at most 15 digits"),
        ("bob,Bob,quiz,50,100,60.5", "must be a whole number"),
        ("1.23457E+12,Bob,quiz,50,100,60", "shortened"),
        ("05-Mar,Bob,quiz,50,100,60", "looks like a date"),
        ("05. Mrz,Bob,quiz,50,100,60", "looks like a date"),
        ("#NAME?,Bob,quiz,50,100,60", "is an error of a spreadsheet"),
        ("#WERT!,Bob,quiz,50,100,60", "is an error of a spreadsheet"),
        ("########,Bob,quiz,50,100,60", "is an error of a spreadsheet"),
        ("bob,\tBob,quiz,50,100,60", "has a tab in it"),
        ("bob,B\rob,quiz,50,100,60", "nobody sees, '\\r'"),
        ("b\x00ob,Bob,quiz,50,100,60", "nobody sees, '\\x00'"),
        ("\ufeffbob,Bob,quiz,50,100,60", "nobody sees, '\\ufeff'"),
        ('bob,Bob "B" Stone,quiz,50,100,60', "a quote inside a cell"),
        ("bob;Bob;quiz;50;100;60", "1 values for 6 columns: the first line is separated by ','"),
        ("bob,Bob,quiz,33,5,50,60", "7 values for 6 columns: a decimal comma or a ','"),
        ("bob,Bob,quiz,50,100", "5 values for 6 columns"),
        ("bob,Bob,quiz,50,100,60,70", "7 values for 6 columns"),
        (HEADER, "raw_score must be a number"),
        (b"bob,B\xf6b,quiz,50,100,60", "not UTF-8"),
        (b"bob,B\xc3b,quiz,50,100,60", "not UTF-8"),
        ("bob,B\ufffdb,quiz,50,100,60", "not UTF-8"),
    ],
)
def test_a_row_that_is_not_certain_is_rejected_with_its_cause(
    load: Load, admin: Any, row: str | bytes, why: str
) -> None:
    exam_id, name = make_exam(admin), unique_name()
    raw = row if isinstance(row, bytes) else row.encode()
    file = b"\n".join([HEADER.encode(), raw, f"{name},Bob,quiz,50.5,100,60".encode(), b""])
    told = load(exam_id, file)
    assert told[:5] == (1, 2, 1, 0, 1), told.text
    assert why in told.rejects[0]["reason"]
    assert told.rejects[0]["line"] == "2"
    assert f"  line 2: {told.rejects[0]['reason']}" in told.text.replace("\ufffd", "")
    assert board(admin, exam_id) == {name: 15.15}


def test_names_that_only_remind_of_dates_and_numbers_are_taken(load: Load, admin: Any) -> None:
    exam_id, name = make_exam(admin), unique_name()
    names = ["april-05", "julia-22", "mark 12", "1e5", "2e10", "#abc", "12", "3-4"]
    rows = [f"{one}{'' if '-' in one else name},May 12th,quiz,50,100,60" for one in names]
    assert load(exam_id, scores(*rows))[:5] == (0, 8, 8, 0, 0)


def test_a_name_that_looks_changed_is_taken_when_it_is_said_to_be_right(
    load: Load, admin: Any
) -> None:
    exam_id = make_exam(admin)
    assert load(exam_id, scores("05-Mar,Bob,quiz,50,100,60"), "--as-is").loaded == 1
    assert board(admin, exam_id) == {"05-Mar": 15.0}


# Rejected rows and what a spreadsheet does with them.


def test_rejected_rows_are_corrected_in_their_file_and_imported(load: Load, admin: Any) -> None:
    exam_id, name = make_exam(admin), unique_name()
    hostile = '=HYPERLINK("http://x";"@")'
    out = io.StringIO()
    csv.writer(out).writerows(
        [
            HEADER.split(","),
            [f"={name}", hostile, "quiz", "101", "100", "60"],
            [f"-{name}", "x;=cmd|' /C calc'!A0", "quiz", "101", "100", "60"],
            [f"'{name}", "'t Hooft", "quiz", "101", "100", "60"],
            [f"{name}", "Bob", "quiz", "50", "100", "60"],
        ]
    )
    told = load(exam_id, out.getvalue())
    assert told[:5] == (1, 4, 1, 0, 3)
    for row in told.rejects:
        assert not re.search(r"(^|[;,\t])[ \"]*[=+\-@\t\r]", "\t".join(row.values()))
    again = io.StringIO()
    table = csv.DictWriter(again, told.rejects[0])
    table.writeheader()
    table.writerows(row | {"raw_score": "100"} for row in told.rejects)
    assert load(exam_id, again.getvalue())[:5] == (0, 3, 3, 0, 0)
    users = rows_of(
        admin,
        "SELECT u.username, u.full_name FROM users AS u INNER JOIN exam_sessions AS s"
        " ON s.user_id = u.user_id WHERE s.exam_id = %s ORDER BY s.session_id",
        (exam_id,),
    )
    assert {tuple(user.values()) for user in users} == {
        (name, "Bob"),
        (f"={name}", hostile),
        (f"-{name}", "x;=cmd|' /C calc'!A0"),
        (f"'{name}", "'t Hooft"),
    }


def test_what_names_must_not_hold_is_written_out_in_the_rejected_rows(
    load: Load, admin: Any
) -> None:
    exam_id, name = make_exam(admin), unique_name()
    signs = "\u202e\u2066\u2061\u206a\ufff9\ufffe\U0001d173\U000e0041"
    for sign in signs + "\xad\u200b\u2060\u3164\ue000":
        rows = [f"{name}{sign}b,A,quiz,1,100,60"]
        rows += [f"{name},A{sign}B,quiz,1,100,60"] if sign in signs else []
        told = load(exam_id, scores(*rows))
        assert told.rejected == len(rows), ascii(sign)
        for row in told.rejects:
            assert sign not in "".join(row.values()), ascii(sign)
            assert ascii(sign)[1:-1] in row["content"]
            assert ascii(sign)[1:-1] in row["username"] + row["full_name"]


def test_what_cells_may_hold_stays_in_the_rejected_rows(load: Load, admin: Any) -> None:
    exam_id, name = make_exam(admin), unique_name()
    full_name = "\u0645\u06cc\u200c\u0631\u200f \U0001f469\u200d\U0001f4bb\ufe0f"
    details = '"{\n ""a"": ""\u202e \U000e0067""}"'
    row = f"{name + 'x' * 64},{full_name},quiz,50,100,60,{details}"
    told = load(exam_id, scores(row, header=HEADER + ",details"))
    assert told.rejects[0]["full_name"] == full_name
    assert told.rejects[0]["details"] == '{\n "a": "\\u202e \\udb40\\udc67"}'
    assert json.loads(told.rejects[0]["details"]) == {"a": "\u202e \U000e0067"}


@pytest.mark.parametrize("content", ["", "\n", "\ufeff", "\n \n", "sep=;\n", "sep=;"])
def test_an_empty_file_is_said_to_be_empty(load: Load, admin: Any, content: str) -> None:
    told = load(make_exam(admin), content)
    assert (told.code, told.loaded) == (2, 0)
    assert "the file is empty: the first line names the columns, username" in told.text


@pytest.mark.parametrize(
    "text",
    [
        *("=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", "\uff1d1", "'=1", "''=1", "'t Hooft"),
        *(' "=1', "a;=1", "a;'=1", "a,\t-1", "'", "", "a=b-c", "plain", "a\n@b", "''", "'-'"),
    ],
)
def test_a_guarded_cell_is_harmless_and_comes_back_as_it_was(text: str) -> None:
    guarded = cells.guard(text)
    assert not re.match(r"[ \"]*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]", guarded)
    assert cells.unguard(guarded) == text
    assert cells.unguard(cells.unguard(cells.guard(guarded))) == text
