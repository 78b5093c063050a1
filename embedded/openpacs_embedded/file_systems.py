# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""EFS as tasks see it: a folder per file system, below the server's data."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ministack.core import persistence
from ministack.services import efs

from openpacs_embedded.patching import replace


def file_system(file_system_id: str) -> Path:
    """Return the folder that is the root of a file system."""
    return Path(persistence.STATE_DIR).parent / "efs" / file_system_id


def mounted(configuration: Mapping[str, Any]) -> Path:
    """Return the folder that a task mounts, made as its access point says.

    configuration: the efsVolumeConfiguration of a volume. Raises ValueError with EFS's reason.
    """
    file_system_id = configuration["fileSystemId"]
    if file_system_id not in efs._file_systems:
        raise ValueError(f"File system '{file_system_id}' does not exist")
    root = file_system(file_system_id)
    root.mkdir(parents=True, exist_ok=True)
    root.chmod(0o755)  # as EFS has it, whatever the server's umask
    access_point_id = (configuration.get("authorizationConfig") or {}).get("accessPointId")
    if not access_point_id:
        return _below(root, configuration.get("rootDirectory") or "/")
    access_point = efs._access_points.get(access_point_id)
    if access_point is None or access_point["FileSystemId"] != file_system_id:
        raise ValueError(f"Access point '{access_point_id}' does not exist in {file_system_id}")
    directory = access_point["RootDirectory"]
    folder = _below(root, directory.get("Path") or "/")
    _create(folder, directory.get("CreationInfo"))
    return folder


def _below(root: Path, path: str) -> Path:
    """Return a folder of a file system. A link that a task has made there leads nowhere else."""
    folder = root / os.path.normpath(f"/{path}").lstrip("/")
    if folder.resolve() != root.resolve() / folder.relative_to(root):
        raise ValueError(f"The directory {path} is reached through a symbolic link")
    return folder


def _create(folder: Path, creation: Mapping[str, Any] | None) -> None:
    """Make an access point's directory, which EFS does only when it knows for whom."""
    if folder.exists():
        return
    if not creation:
        raise ValueError(f"The directory {folder.name} does not exist and has no CreationInfo")
    folder.mkdir(parents=True)
    os.chown(folder, int(creation["OwnerUid"]), int(creation["OwnerGid"]))
    folder.chmod(int(str(creation["Permissions"]), 8))


def delete_file_system(original: Any, file_system_id: str) -> Any:
    """Delete a file system with its files."""
    answer = original(file_system_id)
    if answer[0] < 300:
        shutil.rmtree(file_system(file_system_id), ignore_errors=True)
    return answer


def forget_all() -> None:
    """Remove the files of all file systems."""
    shutil.rmtree(file_system("all").parent, ignore_errors=True)


def install() -> None:
    """Let files go with their file system."""
    replace("_delete_file_system", delete_file_system, efs)
