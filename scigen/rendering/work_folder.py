"""The folder that scripts run in: measured while one runs, emptied after each. What is in it is anybody's."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class WorkFolder:
    """`most_mb` MiB and `most_files` files and folders are what a script may leave at a time."""

    path: Path
    most_mb: int
    most_files: int

    def is_full(self) -> bool:
        """Whether there is more than there may be, or something that cannot be looked into."""
        size = count = 0
        hidden: list[OSError] = []
        for _, _, files, fd in os.fwalk(self.path, onerror=hidden.append):  # by descriptors: paths may be too long
            count += 1 + len(files)
            for name in files:
                with contextlib.suppress(FileNotFoundError):
                    size += os.lstat(name, dir_fd=fd).st_blocks * 512
            if count > self.most_files or size > self.most_mb << 20:
                return True
        return any(not isinstance(e, FileNotFoundError) for e in hidden)

    def empty(self) -> None:
        """Remove what the script left, whatever its modes and depth. Raises OSError, or CalledProcessError."""
        for entry in os.scandir(self.path):
            if entry.is_dir(follow_symlinks=False):
                try:
                    shutil.rmtree(entry.path)
                except (OSError, RecursionError):
                    remove = 'chmod -R u+rwX -- "$1"; rm -rf -- "$1"'
                    subprocess.run(["/bin/sh", "-c", remove, "sh", entry.path], check=True, capture_output=True)
            else:
                os.unlink(entry.path)
