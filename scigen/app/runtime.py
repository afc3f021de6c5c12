"""Where a command's work is done, and what it may cost: the groups `runtime` and `budget` of the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from scigen.app.settings import Closed

if TYPE_CHECKING:
    from scigen.models.ray_runtime import RayRuntime


class LocalRuntime(Closed):
    kind: Literal["local"]


class RayOptions(Closed):
    """See scigen.models.ray_runtime.RayRuntime."""

    kind: Literal["ray"]
    address: str | None
    workers: int = Field(ge=1)
    cpus_per_worker: float = Field(gt=0)
    num_cpus: int = Field(ge=1)
    object_store_mb: int = Field(ge=80)
    batch: int = Field(ge=1)
    chunk: int = Field(ge=1)

    def runtime(self) -> RayRuntime:
        """For the engines."""
        from scigen.models.ray_runtime import RayRuntime

        return RayRuntime(**self.model_dump(exclude={"kind"}))


class BudgetOptions(Closed):
    usd: float | None = Field(ge=0)


Runtime = Annotated[LocalRuntime | RayOptions, Field(discriminator="kind")]
