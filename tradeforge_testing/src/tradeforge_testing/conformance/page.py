"""The report as one page of HTML: it needs no other file, and it prints well."""

from collections.abc import Iterator, Sequence
from html import escape

from tradeforge_testing.conformance.met import FaultCount
from tradeforge_testing.conformance.report import Report, Result, TestResult, Verdict

_MARKS = {
    Verdict.KEPT: "✓",
    Verdict.BROKEN: "✗",
    Verdict.KNOWN: "!",
    Verdict.NOT_DECLARED: "–",
}
_CLASSES = {verdict: verdict.name.lower().replace("_", "-") for verdict in Verdict}


def page(report: Report) -> str:
    """The whole page, as text."""
    title = f"{report.provider}: conformance"
    body = "\n".join(
        (_head(report), _matrix(report), _failures(report), _requirements(report), _faults(report))
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main>{body}</main></body></html>\n"
    )


def _head(report: Report) -> str:
    bound = len(report.results) - report.count(Verdict.NOT_DECLARED)
    kept = report.count(Verdict.KEPT)
    badge = "conformant" if report.is_conformant else "not conformant"
    versions = " · ".join(f"{name} {number}" for name, number in report.versions.items())
    return (
        f'<header><h1>{escape(report.provider)} <span class="badge {_badge(report)}">{badge}</span>'
        f"</h1><p class=lead><b>{kept} of {bound}</b> requirements that bind it are kept, by"
        f" {len(report.tests)} tests in {report.seconds:.0f} seconds.</p>"
        f"<p class=small>TradeForge contract {escape(report.specification.version)} · "
        f"{escape(versions)} · {report.began:%Y-%m-%d %H:%M} UTC · offline, against its sandbox,"
        " in virtual time</p></header>"
    )


def _badge(report: Report) -> str:
    return "kept" if report.is_conformant else "broken"


def _matrix(report: Report) -> str:
    """A row for each area, a cell for each requirement."""
    rows = []
    for area, name in report.specification.areas.items():
        results = [one for one in report.results if one.requirement.area == area]
        if results:
            bound = [one for one in results if one.verdict is not Verdict.NOT_DECLARED]
            kept = sum(one.verdict is Verdict.KEPT for one in bound)
            cells = "".join(map(_cell, results))
            rows.append(
                f"<tr><th scope=row>{escape(name)}</th><td class=cells>{cells}</td>"
                f"<td class=number>{kept} / {len(bound)}</td></tr>"
            )
    return f"<section><h2>By area</h2><table class=matrix>{''.join(rows)}</table>{_KEY}</section>"


def _cell(result: Result) -> str:
    one = result.requirement
    return (
        f'<a class="cell {_CLASSES[result.verdict]}" href="#{one.id}"'
        f' title="{escape(one.id)}: {escape(one.text)}">{_MARKS[result.verdict]}</a>'
    )


_KEY = (
    '<p class="small key">'
    + "".join(
        f'<span><span class="cell {_CLASSES[verdict]}">{mark}</span> {verdict.value}</span>'
        for verdict, mark in _MARKS.items()
    )
    + "</p>"
)


def _failures(report: Report) -> str:
    broken = [one for one in report.tests if one.verdict in (Verdict.BROKEN, Verdict.KNOWN)]
    if not broken:
        return ""
    items = "".join(
        f'<article class="failure {_CLASSES[one.verdict]}"><h3>{escape(_words(one.name))}</h3>'
        f"<p class=small>{escape(', '.join(one.requirements))}</p>"
        f"<pre>{escape(one.detail)}</pre>{_again(report, one)}</article>"
        for one in broken
    )
    return f"<section><h2>What is not kept</h2>{items}</section>"


def _again(report: Report, test: TestResult) -> str:
    """How to run it again, where the test itself has not said it."""
    command = report.reproduction(test)
    if test.verdict is not Verdict.BROKEN or command in test.detail:
        return ""
    return f"<p class=small>Run it again: <code>{escape(command)}</code></p>"


def _requirements(report: Report) -> str:
    return "<section><h2>Every requirement</h2>" + "".join(_areas(report)) + "</section>"


def _areas(report: Report) -> Iterator[str]:
    for area, name in report.specification.areas.items():
        results = [one for one in report.results if one.requirement.area == area]
        if results:
            rows = "".join(map(_row, results))
            yield f"<h3>{escape(name)}</h3><table class=list>{rows}</table>"


def _row(result: Result) -> str:
    one = result.requirement
    tests = ", ".join(escape(_words(test.name)) for test in result.tests)
    needs = f" <span class=needs>{escape(one.needs.rstrip(':'))}</span>" if one.needs else ""
    return (
        f'<tr id="{one.id}"><td><span class="cell {_CLASSES[result.verdict]}">'
        f"{_MARKS[result.verdict]}</span></td><td class=id>{one.id}<br>"
        f"<span class=small>{one.level.value}</span></td>"
        f"<td>{_code(one.text)}{needs}<br><span class=why>{_code(one.why)}</span>"
        f"<br><span class=small>{tests}</span>{_under(result.faults)}</td></tr>"
    )


def _under(faults: Sequence[FaultCount]) -> str:
    """The faults that a requirement was tried under, folded: there are many."""
    if not faults:
        return ""
    rows = "".join(map(_fault_row, faults))
    runs, fired = sum(one.runs for one in faults), sum(one.fired for one in faults)
    return (
        f"<details><summary>{_times(runs, 'run')} under {_times(len(faults), 'fault')}, which"
        f" happened {_times(fired, 'time')}</summary>"
        f"<table class=faults>{_FAULT_HEAD}{rows}</table></details>"
    )


def _times(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


_FAULT_HEAD = (
    "<thead><tr><th>fault</th><th>rows</th><th class=number>runs</th>"
    "<th class=number>happened</th><th class=number>seeds</th></tr></thead>"
)


def _fault_row(one: FaultCount) -> str:
    return (
        f"<tr><td>{escape(one.fault)}</td><td>{escape(' '.join(one.rows))}</td>"
        f"<td class=number>{one.runs}</td><td class=number>{one.fired}</td>"
        f"<td class=number>{_seeds(one.seeds)}</td></tr>"
    )


def _seeds(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds))


def _words(name: str) -> str:
    return name.removeprefix("test_").replace("_", " ")


def _code(text: str) -> str:
    """Text with `code` in it."""
    parts = escape(text).split("`")
    return "".join(f"<code>{one}</code>" if at % 2 else one for at, one in enumerate(parts))


def _faults(report: Report) -> str:
    if not report.faults:
        return ""
    rows = "".join(map(_fault_row, report.faults))
    runs = sum(one.runs for one in report.faults)
    fired = sum(one.fired for one in report.faults)
    return (
        f"<section><h2>Under faults</h2><p>{runs} runs went wrong on purpose, {fired} times in"
        " all. The same seed makes the same run.</p>"
        f"<table class=faults>{_FAULT_HEAD}{rows}</table></section>"
    )


_STYLE = """
:root { --ink: #16202c; --soft: #5b6876; --line: #dde3ea; --paper: #fff; --back: #f4f6f9;
  --good: #14784a; --good-back: #dcf3e6; --bad: #b3261e; --bad-back: #fbe1df;
  --warn: #8a5a00; --warn-back: #fdeecb; }
@media screen and (prefers-color-scheme: dark) { :root {
  --ink: #e6ebf1; --soft: #9aa7b5; --line: #2b3642;
  --paper: #151c24; --back: #0d1218; --good: #6fdca6; --good-back: #12382a; --bad: #ff9a92;
  --bad-back: #45201d; --warn: #ffd479; --warn-back: #42330f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 62rem; margin: 2rem auto; padding: 2rem 2.5rem; background: var(--paper);
  border: 1px solid var(--line); border-radius: 12px; }
h1 { margin: 0; font-size: 2rem; letter-spacing: -.02em; }
h2 { margin: 2.2rem 0 .6rem; font-size: 1.15rem; }
h3 { margin: 1.4rem 0 .3rem; font-size: 1rem; }
.lead { font-size: 1.15rem; margin: .4rem 0 .2rem; }
.small { color: var(--soft); font-size: .8rem; }
.why { color: var(--soft); }
.badge { font-size: .9rem; font-weight: 600; padding: .25rem .7rem; border-radius: 99px;
  vertical-align: middle; letter-spacing: 0; }
table { border-collapse: collapse; width: 100%; }
td, th { padding: .35rem .5rem; border-bottom: 1px solid var(--line); vertical-align: top;
  text-align: left; font-weight: normal; }
.matrix th { width: 13rem; font-weight: 600; white-space: nowrap; }
.matrix td, .matrix th { vertical-align: middle; }
.key { display: flex; flex-wrap: wrap; gap: .4rem 1.2rem; align-items: center; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.cell { display: inline-block; width: 1.7rem; height: 1.7rem; line-height: 1.7rem;
  text-align: center; border-radius: 6px; margin: 1px 3px 1px 0; font-weight: 700;
  text-decoration: none; }
.kept { background: var(--good-back); color: var(--good); }
.broken { background: var(--bad-back); color: var(--bad); }
.known { background: var(--warn-back); color: var(--warn); }
.not-declared { background: var(--back); color: var(--soft); }
.list td:first-child { width: 2.4rem; }
.id { width: 7.5rem; white-space: nowrap; font-variant-numeric: tabular-nums; }
.needs { font-size: .75rem; border: 1px solid var(--line); border-radius: 99px;
  padding: 0 .5rem; color: var(--soft); }
.failure { padding: .6rem 1rem; border-radius: 8px; margin: .6rem 0; }
.failure h3 { margin-top: .2rem; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .82rem; margin: .3rem 0; }
code { font-size: .88em; background: var(--back); padding: 0 .25em; border-radius: 4px; }
.faults { font-size: .82rem; }
.faults th { font-weight: 600; color: var(--soft); }
.faults td:first-child { overflow-wrap: anywhere; }
summary { cursor: pointer; font-size: .82rem; color: var(--soft); }
tr:target td { background: var(--warn-back); }
@media (max-width: 44rem) { main { padding: 1rem; margin: 0; border: 0; }
  .matrix th { width: 6.5rem; white-space: normal; } td, th { padding: .3rem .25rem; }
  .list tr { display: grid; grid-template-columns: 2.2rem 1fr; padding: .4rem 0;
    border-bottom: 1px solid var(--line); }
  .list td { border: 0; } .list > tbody > tr > td:last-child { grid-column: 1 / -1; }
  .id br { display: none; } .id .small { margin-left: .5rem; }
  .faults tr { display: table-row; } .faults td { border-bottom: 1px solid var(--line); } }
@media print { @page { margin: 16mm 14mm; } html { font-size: 12px; }
  body { background: #fff; font-size: 1rem; line-height: 1.4; }
  .matrix td, .matrix th { padding: .2rem .5rem; }
  details { display: none; } pre { white-space: pre-wrap; } .faults { line-height: 1.25; }
  main { border: 0; margin: 0; max-width: none; padding: 0; }
  tr, article { break-inside: avoid; } h2, h3 { break-after: avoid; }
  .cell, .badge { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""
