"""A report in one line, tied to it by a digest: for a badge, and for an index of providers.

The members `schemaVersion`, `label`, `message` and `color` are those that badge services read.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from tradeforge_testing.conformance.report import Report, Verdict

_SAME = ("provider", "provider_version", "kit_version", "specification", "began", "conformant")
"""What the summary has as the report has it."""


class SummaryMismatch(ValueError):
    """A summary and a report that do not belong together."""


def summary(report: Report) -> dict[str, Any]:
    """What the line says of the report."""
    return _summary(report.as_data())


def summary_line(report: Report) -> str:
    """The same as JSON, in one line with its end."""
    return json.dumps(summary(report), ensure_ascii=False) + "\n"


def digest(data: Mapping[str, Any]) -> str:
    """Of a report as `Report.as_data` gives it, or as JSON has it: the order does not matter."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return f"sha256:{sha256(text.encode()).hexdigest()}"


def check_summary(said: Mapping[str, Any], data: Mapping[str, Any]) -> None:
    """Raises `SummaryMismatch` unless the summary is the one of this report, word for word."""
    true = _summary(data)
    wrong = sorted(name for name in {*said, *true} if said.get(name) != true.get(name))
    if wrong:
        raise SummaryMismatch(f"the summary is of another report: {', '.join(wrong)}")


def _summary(data: Mapping[str, Any]) -> dict[str, Any]:
    totals = data["totals"]
    bound = sum(totals.values()) - totals[Verdict.NOT_DECLARED]
    kept = totals[Verdict.KEPT]
    return {
        "schemaVersion": 1,
        "label": f"TradeForge {data['specification']}",
        "message": f"{kept} of {bound} kept",
        "color": "brightgreen" if data["conformant"] else "red",
        **{name: data[name] for name in _SAME},
        "kept": kept,
        "bound": bound,
        "digest": digest(data),
    }
