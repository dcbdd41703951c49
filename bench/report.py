"""The results of a run: on the screen, and in a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

Results = dict[str, Any]

HEADINGS = ("Figure", "Value", "Reference", "Value", "Ratio", "Rounds", "Aim", "Met")


def save(results: Results, folder: Path) -> Path:
    """Write the results to a file named after the time of the run, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    time = datetime.fromisoformat(results["environment"]["time"])
    path = folder / f"{time:%Y-%m-%d-%H%M%S}.json"
    path.write_text(json.dumps(results, indent=1) + "\n")
    return path


def rows(results: Results) -> Iterator[tuple[str, ...]]:
    """Return the table: a row per figure, in the order of HEADINGS."""
    for figure in results["figures"]:
        unit, ratios, aim = figure["unit"], figure["ratios"], figure["aim"]
        yield (
            figure["measured"]["title"],
            quantity(figure["measured"]["value"], unit),
            figure["reference"]["title"],
            quantity(figure["reference"]["value"], unit),
            f"{figure['ratio']:.3g}",
            f"{min(ratios):.3g} .. {max(ratios):.3g}",
            f"{aim['relation']} {aim['ratio']:g}" if aim else "",
            {True: "yes", False: "no", None: ""}[figure["met"]],
        )


def notes(results: Results) -> Iterator[tuple[str, str]]:
    """Return what is to be known of single figures beside their numbers."""
    for figure in results["figures"]:
        if figure["note"]:
            yield figure["name"], figure["note"]


def summary(results: Results) -> list[str]:
    """Say what was measured on what, a line each."""
    environment, plan = results["environment"], results["plan"]
    mysql = environment["mysql"]
    lines = [
        f"{results['command']}: each side had {plan['rounds']} turns of {plan['seconds']:g} s; "
        f"{results['took_sec']} s in all",
        f"{environment['time']}, commit {environment['commit']}, {environment['cores']} cores "
        f"({environment['processor']}), {environment['memory_gb']} GB, {environment['system']}, "
        f"Python {environment['python']}",
        f"MySQL {mysql['version']}, sync_binlog={mysql['sync_binlog']}, "
        f"innodb_flush_log_at_trx_commit={mysql['innodb_flush_log_at_trx_commit']}, "
        f"buffer pool {mysql['innodb_buffer_pool_size'] // 2**20} MB; "
        f"Redis {environment['redis']}; a flush of this disk takes "
        f"{environment['disk_flush_ms']:g} ms",
    ]
    if results["loaded"]:
        largest = max(results["loaded"], key=lambda load: load["candidates"])
        rate = largest["candidates"] / largest["seconds"]
        lines.append(
            f"{largest['candidates']:,} candidates loaded through submit_scores in arrays of 1,000 "
            f"in {largest['seconds']:.0f} s: {rate:,.0f} a second"
        )
    lines.append(
        f"{results['collisions']} deadlocks and lock time-outs in the whole run; every board equal "
        "to the window function over its scores, every acknowledged submission in the audit log"
        if not results["failures"]
        else f"{results['collisions']} deadlocks and lock time-outs in the whole run"
    )
    return lines


def show(results: Results, console: Console) -> None:
    """Print the table; each figure has two lines, its own and its reference's."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Figure, and its reference")
    for heading in ("Value", "Ratio", "Rounds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("Aim", "Met"):
        table.add_column(heading, no_wrap=True)
    for title, value, reference, reference_value, ratio, spread, aim, met in rows(results):
        style = "bold red" if met == "no" else None
        table.add_row(escape(title), value, ratio, spread, aim, met, style=style)
        table.add_row(escape(f"  against {reference}"), reference_value, end_section=True)
    console.print(table)
    for name, note in notes(results):
        console.print(f"{name}: {note}", markup=False, soft_wrap=True)
    for line in summary(results):
        console.print(line, markup=False, soft_wrap=True)
    for failure in results["failures"]:
        console.print(f"[bold red]{escape(failure)}[/bold red]", soft_wrap=True)


def quantity(value: float, unit: str) -> str:
    """Write a value with as many digits as mean something."""
    if unit == "/s":
        return f"{value:,.0f} /s" if value >= 100 else f"{value:.1f} /s"
    return f"{value:.2f} {unit}" if value < 10 else f"{value:.1f} {unit}"
