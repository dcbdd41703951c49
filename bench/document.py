"""The table and the plots of docs/benchmarks.md, written from the results of a run."""

from __future__ import annotations

import re
from pathlib import Path

from bench import plots, report
from bench.report import Results

DOCS = Path(__file__).resolve().parent.parent / "docs"
BEGIN, END = "<!-- make bench: begin -->", "<!-- make bench: end -->"
THROUGHPUT, LATENCY = "benchmarks/throughput.svg", "benchmarks/latency.svg"


def write(results: Results, docs: Path = DOCS) -> list[Path]:
    """Put results into the page, in place of those there, and return what was written."""
    page = docs / "benchmarks.md"
    text = page.read_text(encoding="utf-8")
    between = re.compile(f"{BEGIN}.*{END}", re.DOTALL)
    if not between.search(text):
        raise SystemExit(f"{page} has no {BEGIN} ... {END}")
    drawn = draw(results)
    for name, svg in drawn.items():
        path = docs / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(svg, encoding="utf-8")
    block = "\n".join([BEGIN, markdown(results), *_images(drawn), END])
    page.write_text(between.sub(lambda _: block, text), encoding="utf-8")
    return [page, *(docs / name for name in drawn)]


def markdown(results: Results) -> str:
    """Return the table, and on what it was measured."""
    lines = [
        f"| {' | '.join(report.HEADINGS)} |",
        "|---|--:|---|--:|--:|--:|---|---|",
        *(f"| {' | '.join(row)} |" for row in report.rows(results)),
        "",
        *(f"- {line}" for line in report.summary(results)),
        *(f"- `{name}`: {note}" for name, note in report.notes(results)),
        *(f"- **Failed**: {failure}" for failure in results["failures"]),
        "",
    ]
    return "\n".join(lines)


def draw(results: Results) -> dict[str, str]:
    """Return the plots that the results have curves for, by their path below docs/."""
    drawn = {}
    if throughput := results["curves"].get("throughput"):
        points = [point for curve in throughput.values() for point in curve]
        drawn[THROUGHPUT] = plots.chart(
            "Submissions per second against the size of the exam",
            plots.decades("candidates in the exam", [x for x, _ in points]),
            plots.decades("submissions per second", [y for _, y in points]),
            throughput,
        )
    if latency := results["curves"].get("latency"):
        points = [point for curve in latency.values() for point in curve]
        drawn[LATENCY] = plots.chart(
            "How long a POST takes, 64 clients",
            plots.percentiles("share of the requests answered", [x for x, _ in points]),
            plots.decades("milliseconds", [y for _, y in points]),
            latency,
        )
    return drawn


def _images(drawn: dict[str, str]) -> list[str]:
    """Return the lines that show the plots."""
    captions = {THROUGHPUT: "Throughput against candidates", LATENCY: "Latency percentiles"}
    return [f"![{captions[name]}]({name})\n" for name in drawn]
