# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make `ansible_collections.openpacs.dicoogle` mean this checkout, as Ansible itself would."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ansible.utils.collection_loader import AnsibleCollectionConfig
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

from support import CHECKOUT


def install_loader() -> None:
    """Install Ansible's collection loader, unless other tests of this session already have."""
    if AnsibleCollectionConfig.collection_finder is not None:
        return
    namespace = Path(tempfile.mkdtemp()) / "ansible_collections" / "openpacs"
    namespace.mkdir(parents=True)
    (namespace / "dicoogle").symlink_to(CHECKOUT)
    _AnsibleCollectionFinder(paths=[str(namespace.parents[1])])._install()
