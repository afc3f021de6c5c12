"""Artifacts of sets, train sets and policies: the hash their manifest has, and small files; no image is uploaded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from scigen.errors import ScigenError
from scigen.records import GeneratedImage
from scigen.store import INPUTS, MANIFEST, inputs_hash, iter_records, read_manifest, write_atomic
from scigen.tracking.shapes import Artifact, Kind

LISTED = 20_000
"""Images listed by hash in a file of the artifact; of a larger set the manifest alone tells the content."""


def set_artifact(
    kind: Kind, name: str, folder: Path, made_from: Sequence[Artifact] = (), lists: Path | None = None
) -> Artifact:
    """The artifact of a finished set. `lists`: folder for the list of its images, where it has any.

    Raises ScigenError for an unfinished set.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        raise ScigenError(f"{folder}: the set is unfinished (no {MANIFEST}). Run the command that makes it again.")
    files = {MANIFEST: folder / MANIFEST}
    if lists is not None and manifest.record_type == GeneratedImage.__name__ and manifest.count <= LISTED:
        files["images.jsonl"] = _image_list(folder, lists / f"images-{manifest.set_hash[:12]}.jsonl")
    return Artifact(
        kind=kind,
        name=name,
        hash=manifest.set_hash,
        metadata={"count": manifest.count, "by_status": manifest.by_status, "location": str(folder.resolve())},
        made_from=tuple(a.ref for a in made_from),
        files=files,
    )


def _image_list(folder: Path, path: Path) -> Path:
    """One line an image, in order of key: what stands for the pictures, which stay where they are."""
    if not path.exists():
        found = sorted((r.key, r.status.value, r.image) for r in iter_records(folder, GeneratedImage))
        lines = [json.dumps({"key": key, "status": status, "sha256": sha256}) for key, status, sha256 in found]
        write_atomic(path, "".join(f"{line}\n" for line in lines).encode())
    return path


def train_set_artifact(name: str, folder: Path, made_from: Sequence[Artifact] = ()) -> Artifact:
    """The artifact of a train set; its rows are named by the hash of the parquet files.

    Raises ScigenError if there is none.
    """
    path = folder / "trainset.json"
    if not path.exists():
        raise ScigenError(f"{folder}: no train set there (no {path.name}). Run the command that makes it again.")
    info = json.loads(path.read_bytes())
    return Artifact(
        kind=Kind.TRAIN_SET,
        name=name,
        hash=info["rows_hash"],
        metadata={"rows": info["rows"], "decisions": info["decisions"], "location": str(folder.resolve())},
        made_from=tuple(a.ref for a in made_from),
        files={path.name: path},
    )


def policy_artifact(name: str, run: Path, made_from: Sequence[Artifact] = ()) -> Artifact | None:
    """The last checkpoint of verl's run, by reference: weights stay where they are. None before the first one.

    Its hash is of what it was trained from and of its step, not of the weights.
    """
    mark = run / "checkpoints" / "latest_checkpointed_iteration.txt"
    if not mark.exists() or not (run / INPUTS).exists():
        return None
    step = int(mark.read_text())
    folder = run / "checkpoints" / f"global_step_{step}"
    return Artifact(
        kind=Kind.POLICY,
        name=name,
        hash=inputs_hash("policy", (run / INPUTS).read_text(), step),
        metadata={"step": step, "location": str(folder.resolve())},
        made_from=tuple(a.ref for a in made_from),
    )
