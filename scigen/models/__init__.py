"""One way to call a language or vision model: `Model.ask`, over Inspect AI's model providers.

Every answer that arrives is in the journal before the caller has it; every attempt is covered by the budget before it
is made. Inspect AI and the vendors' clients are imported with the first call that must go out, not before.
"""

from scigen.models.budget import Budget, BudgetReached, share_of_shard
from scigen.models.estimate import Estimate
from scigen.models.model import Model
from scigen.models.prices import Price
from scigen.models.request import Reply, ReplyStatus, Request
from scigen.models.settings import ModelSettings

__all__ = [
    "Budget",
    "BudgetReached",
    "Estimate",
    "Model",
    "ModelSettings",
    "Price",
    "Reply",
    "ReplyStatus",
    "Request",
    "share_of_shard",
]
