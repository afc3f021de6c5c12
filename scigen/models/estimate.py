"""What a set of requests would come to, before any of them is made."""

from __future__ import annotations

from dataclasses import dataclass

LIKELY_SHARE = 0.25
"""Likely length of an answer as a share of the length it may have; a rule of thumb, stated with each estimate."""


@dataclass(frozen=True)
class Estimate:
    """Sums over requests. Repairs and retries are not foreseen."""

    calls: int = 0
    """Requests, those in the journal included."""
    cached: int = 0
    """Requests that the journal answers; they cost nothing."""
    input_tokens: int = 0
    """Likely input of the calls that must be made."""
    output_tokens: int = 0
    """Likely output: a quarter of what each call may write."""
    usd: float = 0.0
    """Likely price; 0 without a known price."""
    seconds: float = 0.0
    """At the settings' time a call and number of connections."""
    usd_most: float = 0.0
    """Price if each answer is as long as it may be: what a budget needs to be sure to suffice."""
    priced: bool = True
    """False if the model's price is not known, and the sums of money mean nothing."""

    def __add__(self, other: Estimate) -> Estimate:
        """Two sets of requests asked one after the other."""
        return Estimate(
            self.calls + other.calls,
            self.cached + other.cached,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.usd + other.usd,
            self.seconds + other.seconds,
            self.usd_most + other.usd_most,
            self.priced and other.priced,
        )
