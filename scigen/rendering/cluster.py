"""The same pool on many machines: Ray actors, each with a RenderPool of its own. `with RayRenderPool() as pool:`.

Joins the Ray cluster that is running (Slurm starts one, see slurm/), or starts one on this machine. Every node needs
this package; each proves by a trial that it can confine scripts. An actor that is lost is started again elsewhere and
what it was drawing is drawn again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from types import TracebackType
from typing import Any, Self

from scigen.errors import ScigenError
from scigen.ray_start import patiently
from scigen.rendering.outcome import Limits, Rendering
from scigen.rendering.pool import RenderPool

BATCH = 8
"""Scripts sent at a time: a render takes about a hundred times as long as a message."""
IN_FLIGHT = 2
"""Batches an actor has at a time, so that it does not wait for the next one."""


class _Drawer:
    """Lives in a Ray worker process."""

    def __init__(self, workers: int, limits: Limits, namespaces: bool) -> None:
        self._pool = RenderPool(workers, limits, namespaces=namespaces).__enter__()

    def facts(self) -> dict[str, Any]:
        return {**self._pool.facts, "namespaces": self._pool.confinement, "workers": self._pool.workers}

    def draw(self, scripts: list[str]) -> list[Rendering]:
        return list(self._pool.map(scripts))


class RayRenderPool:
    """Draws scripts like RenderPool, with `map` and `as_completed`, on all nodes of a Ray cluster.

    By default one actor a node with as many drawing processes as the node has CPUs in Ray; else `actors` of them with
    `workers` each, spread over the nodes. Raises ScigenError if the cluster has not that many CPUs or a node cannot
    confine scripts.
    """

    def __init__(
        self,
        actors: int | None = None,
        workers: int | None = None,
        limits: Limits | None = None,
        *,
        namespaces: bool = True,
    ) -> None:
        if (actors is not None and actors < 1) or (workers is not None and workers < 1):
            raise ScigenError(f"rendering: actors={actors}, workers={workers}; both must be at least 1")
        self._actors_wanted, self._workers_wanted = actors, workers
        self._limits, self._namespaces = limits or Limits(), namespaces

    def __enter__(self) -> Self:
        import ray

        self._started_ray = not ray.is_initialized()
        if self._started_ray:
            patiently(lambda: ray.init(log_to_driver=False, logging_level="ERROR"))
        try:
            self._actors = [self._start(cpus, place) for cpus, place in self._places()]
            self.facts = ray.get([actor.facts.remote() for actor in self._actors])
        except ray.exceptions.RayError as e:
            self.__exit__(None, None, None)
            raise ScigenError(f"rendering: a Ray actor cannot draw scripts: {e}") from e
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        import ray

        for actor in getattr(self, "_actors", []):
            ray.kill(actor)
        if self._started_ray:
            ray.shutdown()

    @property
    def workers(self) -> int:
        """Drawing processes in all."""
        return sum(f["workers"] for f in self.facts)

    def map(self, scripts: Iterable[str]) -> Iterator[Rendering]:
        """Draw many, in order. Takes from `scripts` only as many as the actors have in hand."""
        waiting: dict[int, list[Rendering]] = {}
        due = 0
        for number, renderings in self._batches(scripts, ordered=True):
            waiting[number] = renderings
            while due in waiting:
                yield from waiting.pop(due)
                due += 1

    def as_completed(self, scripts: Iterable[str]) -> Iterator[tuple[int, Rendering]]:
        """Draw many; gives each with its number, from 0, as soon as its batch is there."""
        for number, renderings in self._batches(scripts, ordered=False):
            yield from enumerate(renderings, start=number * BATCH)

    def _places(self) -> list[tuple[int, Any]]:
        """CPUs and scheduling strategy of each actor."""
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        nodes = [(n["NodeID"], int(n["Resources"].get("CPU", 0))) for n in ray.nodes() if n["Alive"]]
        if self._actors_wanted is None and self._workers_wanted is None:
            return [(cpus, NodeAffinitySchedulingStrategy(node, soft=True)) for node, cpus in nodes if cpus]
        workers = self._workers_wanted or 1
        room = sum(cpus // workers for _, cpus in nodes)
        actors = self._actors_wanted or room
        if not 1 <= actors <= room:
            raise ScigenError(
                f"rendering: {actors} actors of {workers} CPUs were asked for; the cluster has room for {room}. "
                f"Ask for fewer, or add nodes."
            )
        return [(workers, "SPREAD")] * actors

    def _start(self, cpus: int, place: Any) -> Any:
        import ray

        options = {"num_cpus": cpus, "scheduling_strategy": place, "max_restarts": 4, "max_task_retries": 4}
        return ray.remote(_Drawer).options(**options).remote(cpus, self._limits, self._namespaces)

    def _batches(self, scripts: Iterable[str], ordered: bool) -> Iterator[tuple[int, list[Rendering]]]:
        """Batches by number as they are done. With `ordered` none is begun that is far ahead of the slowest."""
        import ray

        source = iter(scripts)
        flying: dict[Any, tuple[int, Any]] = {}
        free = deque(self._actors * IN_FLIGHT)
        begun, ahead = 0, 4 * len(free)
        try:
            while True:
                slowest = min((n for n, _ in flying.values()), default=begun)
                while free and (not ordered or begun < slowest + ahead) and (batch := list(islice(source, BATCH))):
                    actor = free.popleft()
                    flying[actor.draw.remote(batch)] = (begun, actor)
                    begun += 1
                if not flying:
                    return
                (done,), _ = ray.wait(list(flying), num_returns=1)
                number, actor = flying.pop(done)
                free.append(actor)
                yield number, ray.get(done)
        except ray.exceptions.RayError as e:
            raise ScigenError(f"rendering: a Ray actor was lost again and again: {e}") from e
        finally:
            for reference in flying:
                ray.cancel(reference, recursive=False)
