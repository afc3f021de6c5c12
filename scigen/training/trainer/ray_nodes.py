"""`python -m scigen.training.trainer.ray_nodes --nodes N --gpus G`: waits for a Ray cluster's nodes and tries each.

For slurm/train.sbatch, between starting Ray and training on it. Joins the cluster at RAY_ADDRESS; starts none. A node
passes when a task on it can import this package in the version of this one; it does not try the GPUs themselves.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from dataclasses import dataclass
from typing import Any

from scigen.errors import ScigenError

POLL_S = 1.0


@dataclass(frozen=True)
class Node:
    """What a node says of itself."""

    host: str
    python: str
    package: str
    """Where it imports scigen from."""
    gpus: int


def wait_for_nodes(nodes: int, gpus: int, seconds: float) -> list[Node]:
    """Joins the cluster and gives its nodes, once `nodes` of them with `gpus` GPUs each are there.

    Raises ScigenError after `seconds`, saying what is missing, or when a node runs another Python or package.
    """
    import ray

    deadline = time.monotonic() + seconds
    logging.getLogger("ray").setLevel(logging.ERROR)
    _join(deadline, seconds)
    while True:
        alive = [node for node in ray.nodes() if node["Alive"]]
        ready = [node for node in alive if int(node["Resources"].get("GPU", 0)) >= gpus]
        if len(ready) >= nodes:
            break
        if time.monotonic() > deadline:
            raise ScigenError(
                f"Ray at {os.environ['RAY_ADDRESS']}: {len(ready)} of {nodes} nodes with {gpus} GPUs after "
                f"{seconds:.0f} s ({len(alive)} joined). See what ray_node.sh printed for the others above, and raise "
                "SCIGEN_RAY_S in slurm/site.env if the site is slow."
            )
        time.sleep(POLL_S)
    found = _ask(ready, max(10.0, deadline - time.monotonic()))
    for node in found:
        if (node.python, node.package) != (sys.version, _package()):
            raise ScigenError(
                f"{node.host}: runs Python {node.python.split()[0]} and scigen from {node.package}; this node runs "
                f"{sys.version.split()[0]} and {_package()}. Put the environment on storage that all nodes share."
            )
    return found


def _join(deadline: float, seconds: float) -> None:
    import ray

    address = os.environ.get("RAY_ADDRESS")
    if not address:
        raise ScigenError("RAY_ADDRESS is not set. slurm/train.sbatch sets it; start this from there.")
    while True:
        try:
            ray.init(address=address, log_to_driver=False, logging_level="ERROR")
            return
        except (ConnectionError, RuntimeError, OSError) as e:
            if time.monotonic() > deadline:
                raise ScigenError(f"Ray at {address}: no answer in {seconds:.0f} s ({e}).") from e
        time.sleep(POLL_S)


def _ask(nodes: list[dict[str, Any]], seconds: float) -> list[Node]:
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    answers = {
        ray.remote(_look)
        .options(num_cpus=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False))
        .remote(int(node["Resources"].get("GPU", 0))): node["NodeManagerHostname"]
        for node in nodes
    }
    done, open_ = ray.wait(list(answers), num_returns=len(answers), timeout=seconds)
    if open_:
        hosts = ", ".join(sorted(answers[each] for each in open_))
        raise ScigenError(f"Ray: {hosts} joined but ran no task in {seconds:.0f} s. Take the nodes out of the job.")
    found: list[Node] = ray.get(done)
    return found


def _look(gpus: int) -> Node:
    import socket

    return Node(socket.gethostname(), sys.version, _package(), gpus)


def _package() -> str:
    import scigen

    return str(next(iter(scigen.__path__)))


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--nodes", type=int, required=True)
    parser.add_argument("--gpus", type=int, required=True, help="of each node")
    parser.add_argument("--seconds", type=float, default=300.0)
    given = parser.parse_args()
    try:
        found = wait_for_nodes(given.nodes, given.gpus, given.seconds)
    except ScigenError as e:
        print(f"error: {e}", file=sys.stderr)
        sys.exit(e.exit_status)
    print(f"Ray: {len(found)} nodes ({', '.join(f'{n.host}: {n.gpus} GPUs' for n in found)})")


if __name__ == "__main__":
    main()
