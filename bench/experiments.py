"""The experiments: what is loaded, with what beside it, and which figures come out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from bench import ranking
from bench.crew import Sample, Turn
from bench.database import Database, WrongBoard
from bench.figures import Aim, Figure, Measured
from bench.ground import Ground
from bench.http_clients import Pages, Requests, Scores
from bench.sql_clients import (
    BareArray,
    BareProcedure,
    BareTransaction,
    ReadPage,
    SubmitAndRebuild,
    SubmitScore,
    SubmitScores,
)
from services import Server

CONNECTIONS = 32
CLIENTS = 64
ITEMS = 100
# Of submit_scores under way at once: while one writes its board, the next ones are read.
ARRAY_CONNECTIONS = 4
# Of 64 clients half have an answer to read while the others' call is under way.
SHARED_ITEMS = 32
PER_PAGE = 50
EXAMS = 16
SOAK_TURNS = 30
PERCENTS = (50, 75, 90, 95, 99, 99.5, 99.9)

Outcome = Figure | dict[str, Any]


@dataclass(frozen=True)
class Experiment:
    """A load and its references, side by side; run yields figures and, for the plots, curves."""

    title: str
    figures: tuple[str, ...]
    run: Callable[[Ground], Iterator[Outcome]]


def submission(ground: Ground) -> Iterator[Outcome]:
    """Measure one submission at a time against the rebuild design and the bare transaction."""
    board = ground.reference_board(ground.plan.medium)
    with (
        ground.sql(SubmitScore((board,)), CONNECTIONS) as podium,
        ground.sql(SubmitAndRebuild(board), CONNECTIONS, warm_up=0) as rebuild,
        ground.sql(BareTransaction(board), CONNECTIONS) as bare,
        ground.sql(BareProcedure(board), CONNECTIONS) as procedure,
        ground.sql(BareTransaction(board, in_order=True), CONNECTIONS) as ordered,
        ground.database.verified([board]) as verification,
        ground.database.verified_references() as acknowledged,
    ):
        ours, rebuilt, bared, called, lined_up = ground.rounds(
            podium, rebuild, bare, procedure, ordered
        )
        verification.acknowledged = podium.acknowledged
        acknowledged["rebuild"] = rebuild.acknowledged
        acknowledged["bare"] = sum(crew.acknowledged for crew in (bare, procedure, ordered))
    measured = _rates(
        f"submit_score, {CONNECTIONS} connections, 1 exam of {board.candidates:,}", ours
    )
    yield Figure(
        "rebuild",
        "/s",
        measured,
        _rates("the whole board ranked anew in every submission", rebuilt),
        Aim("at least", 50),
        _clients(ours),
    )
    yield Figure(
        "bare",
        "/s",
        measured,
        _rates(_bare_title(), bared),
        Aim("at least", 0.25),
        _clients(ours, bared),
    )
    yield Figure(
        "bare-procedure",
        "/s",
        measured,
        _rates(f"bare transaction as a procedure, {CONNECTIONS} connections", called),
        None,
        _clients(ours, called),
    )
    yield Figure(
        "ordered",
        "/s",
        measured,
        _rates(f"bare transaction, all {CONNECTIONS} connections on one row", lined_up),
        None,
        _clients(ours, lined_up),
    )


def arrays(ground: Ground) -> Iterator[Outcome]:
    """Measure arrays of submissions against bare transactions."""
    board = ground.board(ground.plan.large)
    rows = ground.reference_board(ground.plan.medium)
    with (
        ground.sql(SubmitScores(board, ITEMS), ARRAY_CONNECTIONS) as podium,
        ground.sql(BareTransaction(rows), CONNECTIONS) as bare,
        ground.sql(BareArray(rows, ITEMS), ARRAY_CONNECTIONS) as bare_array,
        ground.database.verified([board]) as verification,
        ground.database.verified_references() as acknowledged,
    ):
        ours, bared, bared_arrays = ground.rounds(podium, bare, bare_array)
        verification.acknowledged = podium.acknowledged
        acknowledged["bare"] = bare.acknowledged + bare_array.acknowledged
    measured = _rates(
        f"submit_scores of {ITEMS}, {ARRAY_CONNECTIONS} connections, "
        f"1 exam of {board.candidates:,}",
        ours,
    )
    yield Figure(
        "array",
        "/s",
        measured,
        _rates(_bare_title(), bared),
        Aim("at least", 1.5),
        _clients(ours, bared),
    )
    yield Figure(
        "bare-array",
        "/s",
        measured,
        _rates(
            f"bare transactions of {ITEMS} rows each, {ARRAY_CONNECTIONS} connections", bared_arrays
        ),
        None,
        _clients(ours, bared_arrays),
    )


def size(ground: Ground) -> Iterator[Outcome]:
    """Measure one submission alone, in the largest exam and in the smallest."""
    large, small = ground.board(ground.plan.candidates), ground.board(ground.plan.small)
    with (
        ground.sql(SubmitScore((large,)), 1) as in_large,
        ground.sql(SubmitScore((small,)), 1) as in_small,
        ground.database.verified([large, small]) as verification,
    ):
        among_many, among_few = ground.rounds(in_large, in_small)
        verification.acknowledged = in_large.acknowledged + in_small.acknowledged
    yield Figure(
        "size",
        "ms",
        _means(f"one submission among {large.candidates:,} candidates", among_many),
        _means(f"one among {small.candidates:,}", among_few),
        Aim("at most", 1.5),
    )


def pages(ground: Ground) -> Iterator[Outcome]:
    """Measure pages that no cache has: the first and the last of the largest exam."""
    large, small = ground.board(ground.plan.candidates), ground.board(ground.plan.small)
    last = -(-large.candidates // PER_PAGE)
    with (
        ground.sql(ReadPage(large, 1, PER_PAGE), 1) as first_of_large,
        ground.sql(ReadPage(small, 1, PER_PAGE), 1) as first_of_small,
        ground.sql(ReadPage(large, last, PER_PAGE), 1) as last_of_large,
        ground.database.verified([large, small]),
    ):
        crews = (first_of_large, first_of_small, last_of_large)
        # A page takes a millisecond: half the time is plenty.
        among_many, among_few, at_the_end = ground.rounds(*crews, seconds=ground.plan.seconds / 2)
    first = _means(f"first page, uncached, {large.candidates:,} candidates", among_many)
    yield Figure(
        "first-page",
        "ms",
        first,
        _means(f"first page, uncached, {small.candidates:,} candidates", among_few),
        Aim("at most", 2),
    )
    yield Figure(
        "last-page",
        "ms",
        _means(f"last page, uncached, {large.candidates:,} candidates", at_the_end),
        first,
        Aim("at most", 3),
    )


def http(ground: Ground) -> Iterator[Outcome]:
    """Measure the gateway against an echo on the same server, and against ranking in Redis."""
    board = ground.board(ground.plan.medium)
    echo = ground.serve(
        "echo", "bench.echo:create_app", {"PODIUM_REDIS_URL": ground.podium.redis.url}
    )
    ranked = ground.serve_ranking()
    ranking.fill(ranked[1], ground.database.standings(board))
    secret, gateway = ground.podium.secret, ground.podium.gateway
    page = f"exam_id={board.exam_id}&page=1&per_page={PER_PAGE}"
    scores = Scores("/api/v1/scores", board, secret, CLIENTS)
    loads: list[tuple[Server, Requests]] = [
        (gateway, scores),
        (echo, Scores("/echo", board, secret, CLIENTS)),
        (gateway, Pages(f"/api/v1/leaderboard?{page}", secret)),
        (echo, Pages(f"/echo?{page}", secret)),
        (echo, Pages(f"/ask?{page}", secret)),
        (ranked[0], scores),
    ]
    with ExitStack() as opened:
        verification = opened.enter_context(ground.database.verified([board]))
        crews = [
            opened.enter_context(ground.http(server, requests, CLIENTS))
            for server, requests in loads
        ]
        alone = opened.enter_context(ground.sql(SubmitScores(board, SHARED_ITEMS), 1))
        by_call, posted, echoed, read, echoed_get, asked, ranks = ground.rounds(alone, *crews)
        verification.acknowledged = alone.acknowledged + crews[0].acknowledged
    if not ranking.is_sound(ranked[1], board.candidates):
        raise WrongBoard("the two sets in Redis do not agree")
    measured = _rates(
        f"POST /scores, {CLIENTS} clients, 1 exam of {board.candidates:,}, 1 gateway", posted
    )
    yield Figure(
        "post-echo",
        "/s",
        measured,
        _rates("Flask on the same server echoing the JSON", echoed),
        Aim("at least", 0.4),
        _clients(posted, echoed),
    )
    yield Figure(
        "post-array",
        "/s",
        measured,
        _rates(f"submit_scores of {SHARED_ITEMS} on 1 connection, without a gateway", by_call),
        None,
        _clients(posted, by_call),
    )
    yield Figure(
        "post-tail",
        "ms",
        _percentiles(f"POST /scores, {CLIENTS} clients, p99", posted, 99),
        _percentiles("its p50", posted, 50),
        Aim("at most", 4),
    )
    yield Figure(
        "get-echo",
        "/s",
        _rates(f"GET /leaderboard, cached, {PER_PAGE} entries, {CLIENTS} clients", read),
        _rates("the same echo as GET", echoed_get),
        Aim("at least", 0.7),
        _clients(read, echoed_get),
    )
    yield Figure(
        "get-redis",
        "/s",
        _rates(f"GET /leaderboard, cached, {CLIENTS} clients", read),
        _rates("the same echo after one question to Redis", asked),
        None,
        _clients(read, asked),
    )
    yield Figure(
        "post-redis",
        "/s",
        measured,
        _rates("the same gateway ranking in Redis, appendfsync always", ranks),
        Aim("at least", 0.6),
        _clients(posted, ranks),
    )
    curves = {"POST /scores": posted, "ranking in Redis": ranks, "echo": echoed}
    yield {
        "latency": {
            name: [[percent, _percentile(samples, percent)] for percent in PERCENTS]
            for name, samples in curves.items()
            if samples
        }
    }


def exams(ground: Ground) -> Iterator[Outcome]:
    """Measure many exams at once against one, and count the collisions of both."""
    boards = ground.boards(ground.plan.small, EXAMS)
    before = ground.database.collisions()
    with (
        ground.sql(SubmitScore(boards), CONNECTIONS) as in_many,
        ground.sql(SubmitScore(boards[:1]), CONNECTIONS) as in_one,
        ground.database.verified(boards) as verification,
    ):
        many, one = ground.rounds(in_many, in_one)
        verification.acknowledged = in_many.acknowledged + in_one.acknowledged
    collisions = ground.database.collisions() - before
    yield Figure(
        "exams",
        "/s",
        _rates(f"submit_score, {CONNECTIONS} connections, {EXAMS} exams at once", many),
        _rates(f"1 exam, {CONNECTIONS} connections", one),
        Aim("above", 1),
        f"{_collisions(ground.database, collisions)}; {_clients(many)}",
        also_met=collisions == 0,
    )


def memory(ground: Ground) -> Iterator[Outcome]:
    """Watch what the gateway has in memory while it writes and reads, on and on."""
    if not ground.plan.soak_seconds:
        return
    board = ground.board(ground.plan.medium)
    secret, gateway = ground.podium.secret, ground.podium.gateway
    page = f"exam_id={board.exam_id}&page=1&per_page={PER_PAGE}"
    scores = Scores("/api/v1/scores", board, secret, CLIENTS)
    pages = Pages(f"/api/v1/leaderboard?{page}", secret)
    turn = Turn(ground.plan.soak_seconds / SOAK_TURNS / 2)
    requests, resident = 0, []
    with (
        ground.http(gateway, scores, CLIENTS) as writers,
        ground.http(gateway, pages, CLIENTS) as readers,
        ground.database.verified([board]) as verification,
    ):
        for _ in range(SOAK_TURNS):
            requests += writers.run(turn).calls + readers.run(turn).calls
            resident.append(ground.gateway_memory_mb())
        verification.acknowledged = writers.acknowledged
    share = SOAK_TURNS // 5
    minutes = ground.plan.soak_seconds / 60
    yield Figure(
        "memory",
        "MB",
        Measured(f"gateway, in the last fifth of {minutes:g} minutes", resident[-share:]),
        Measured("in the second fifth", resident[share : 2 * share]),
        Aim("at most", 1.05),
        f"{requests:,} requests of {CLIENTS} clients, by turns to write and to read; "
        f"{min(resident):.1f} to {max(resident):.1f} MB",
    )


def curve(ground: Ground) -> Iterator[Outcome]:
    """Measure how the number of candidates matters, for the plot."""
    curves: dict[str, list[list[float]]] = {}
    # Without an aim, and so without the patience of the figures.
    seconds, rounds = ground.plan.seconds / 2, max(1, ground.plan.rounds // 2)

    def add(name: str, candidates: int, samples: list[Sample]) -> None:
        curves.setdefault(name, []).append([candidates, _rates(name, samples).value])

    for candidates in ground.plan.sizes:
        board = ground.board(candidates)
        with (
            ground.sql(SubmitScore((board,)), CONNECTIONS) as single,
            ground.sql(SubmitScores(board, ITEMS), ARRAY_CONNECTIONS) as array,
            ground.database.verified([board]) as verification,
        ):
            singles, hundreds = ground.rounds(single, array, seconds=seconds, rounds=rounds)
            verification.acknowledged = single.acknowledged + array.acknowledged
        add("submit_score", candidates, singles)
        add(f"submit_scores of {ITEMS}", candidates, hundreds)
        if candidates <= 100_000:
            # Alone: a rebuild of a large exam takes seconds, and others would only wait for it.
            ground.reference_board(candidates)
            with (
                ground.sql(SubmitAndRebuild(board), 1, warm_up=0) as rebuild,
                ground.database.verified_references() as acknowledged,
            ):
                [rebuilt] = ground.rounds(rebuild, seconds=seconds, rounds=rounds)
                acknowledged["rebuild"] = rebuild.acknowledged
            add("rebuild in every submission", candidates, rebuilt)
    yield {"throughput": curves}


EXPERIMENTS = (
    Experiment(
        "One submission at a time", ("rebuild", "bare", "bare-procedure", "ordered"), submission
    ),
    Experiment("Arrays of submissions", ("array", "bare-array"), arrays),
    Experiment("The cost of size", ("size",), size),
    Experiment("Pages", ("first-page", "last-page"), pages),
    Experiment(
        "HTTP",
        ("post-echo", "post-array", "post-tail", "get-echo", "get-redis", "post-redis"),
        http,
    ),
    Experiment("Exams at once", ("exams",), exams),
    Experiment("Memory", ("memory",), memory),
    Experiment("Throughput against size", ("curve",), curve),
)


def _rates(title: str, samples: list[Sample]) -> Measured:
    return Measured(title, [sample.rate for sample in samples])


def _means(title: str, samples: list[Sample]) -> Measured:
    return Measured(title, [sample.mean_ms for sample in samples])


def _percentiles(title: str, samples: list[Sample], percent: float) -> Measured:
    return Measured(title, [sample.percentile_ms(percent) for sample in samples])


def _percentile(samples: list[Sample], percent: float) -> float:
    """Return the percentile over all rounds."""
    return round(Sample.merged(samples).percentile_ms(percent), 3)


def _bare_title() -> str:
    return f"bare transaction (UPDATE, INSERT, COMMIT), {CONNECTIONS} connections"


def _clients(*loads: list[Sample]) -> str:
    """Say how much of the machine the clients themselves took, which is the servers' loss."""
    shares = [f"{sum(s.client_cores for s in samples) / len(samples):.2f}" for samples in loads]
    return f"clients' cores {' / '.join(shares)}"


def _collisions(database: Database, collisions: int) -> str:
    """Say how many deadlocks and lock time-outs there were."""
    report = "a deadlock" if database.deadlock_reported() else "none"
    return f"{collisions} deadlocks and lock time-outs, InnoDB's report shows {report}"
