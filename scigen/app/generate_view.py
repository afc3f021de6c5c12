"""What making images shows at its end. Nothing is computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from rich.table import Table

from scigen.app.progress import duration
from scigen.errors import ScigenError
from scigen.models import Estimate
from scigen.records import GeneratedImage, Status
from scigen.statistics import wilson


class Closing(NamedTuple):
    """What a set of images came to."""

    by_status: Counter[str]
    usd: float
    tokens: int
    seconds: float
    """Time that vendor and sandbox took, added up over what ran side by side."""
    attempts: int

    @property
    def total(self) -> int:
        return self.by_status.total()

    @property
    def ok(self) -> int:
        return self.by_status[Status.OK.value]

    def figures(self) -> dict[str, Any]:
        """For summary.json. Rates from 0 to 1."""
        return {
            "by_status": dict(self.by_status.most_common()),
            "ok_rate": self.ok / self.total if self.total else None,
            "ok_interval_95": list(wilson(self.ok, self.total)),
            "usd": round(self.usd, 6),
            "tokens": self.tokens,
            "attempts": self.attempts,
            "work_s": round(self.seconds, 1),
        }


def closing(records: Iterable[GeneratedImage]) -> Closing:
    """Sums over a set, read one record at a time."""
    by_status: Counter[str] = Counter()
    usd, tokens, seconds, attempts = 0.0, 0, 0.0, 0
    for record in records:
        by_status[record.status.value] += 1
        usd += record.cost_usd
        tokens += record.tokens
        seconds += record.seconds
        attempts += record.attempts
    return Closing(by_status, usd, tokens, seconds, attempts)


def closing_table(name: str, sums: Closing) -> Table:
    """Images by status with their share and its 95 % interval; then cost."""
    table = Table(title=f"images by {name}", title_justify="left")
    for column in ("status", "images", "%", "95 % interval"):
        table.add_column(column, justify="left" if column == "status" else "right")
    for status, n in sorted(sums.by_status.items(), key=lambda item: (item[0] != "ok", -item[1])):
        low, high = wilson(n, sums.total)
        table.add_row(status, f"{n:,}", f"{100 * n / sums.total:.1f}", f"{100 * low:.1f} to {100 * high:.1f}")
    table.add_section()
    table.add_row("all", f"{sums.total:,}", f"${sums.usd:.4f}", f"{sums.attempts:,} attempts")
    return table


def estimate_table(name: str, images: int, estimate: Estimate) -> Table:
    """What a generator would ask and cost for so many problems."""
    table = Table(title=f"{name}: what it would come to", title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    rows = [
        ("images", f"{images:,}"),
        ("calls", f"{estimate.calls:,}"),
        ("of these answered already", f"{estimate.cached:,}"),
        ("tokens in, likely", f"{estimate.input_tokens:,}"),
        ("tokens out, likely", f"{estimate.output_tokens:,}"),
        ("cost, likely", f"${estimate.usd:,.2f}" if estimate.priced else "the price is not known"),
        ("cost, at most", f"${estimate.usd_most:,.2f}" if estimate.priced else "the price is not known"),
        ("time of the calls", duration(estimate.seconds)),
    ]
    for row in rows:
        table.add_row(*row)
    table.caption = "without repairs, retries and drawing; nothing was asked, nothing written"
    return table


def require_images(sums: Closing, name: str) -> None:
    """Raise ScigenError when not a single image came of it: the set is written, but something is wrong."""
    if sums.total and not sums.ok:
        worst = ", ".join(f"{status} {n}" for status, n in sums.by_status.most_common())
        raise ScigenError(f"{name}: no image at all ({worst}). The records say why; mend the cause and run again.")
