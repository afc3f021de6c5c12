"""The CPU plugin: verl imports this module in every process when VERL_USE_EXTERNAL_MODULES names it.

It registers what verl has a hook for (a platform, a rollout) and patches the few things it has none for. Importing it
has these effects on purpose; import it in a CPU run only.
"""

from scigen import torchvision_shim

torchvision_shim.install()  # before any import below reaches torchvision

from scigen.training.trainer import cpu_platform, patches  # noqa: E402

cpu_platform.register()
patches.apply()

from verl.workers.rollout.base import _ROLLOUT_REGISTRY  # noqa: E402
from verl.workers.rollout.replica import RolloutReplicaRegistry  # noqa: E402

ROLLOUT = "transformers_cpu"


def _replica() -> type:
    from scigen.training.trainer.rollout import TransformersReplica

    return TransformersReplica


_ROLLOUT_REGISTRY[(ROLLOUT, "async")] = "scigen.training.trainer.rollout.TransformersAdapter"
RolloutReplicaRegistry.register(ROLLOUT, _replica)
