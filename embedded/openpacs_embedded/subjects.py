# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is added to MiniStack, in the order in which it is installed."""

from __future__ import annotations

from importlib import import_module

SUBJECTS = (
    "persistence",
    "lambda_worker",
)


def install() -> None:
    """Install every subject. Raises PatchError when one does not fit this MiniStack."""
    for subject in SUBJECTS:
        import_module(f"{__package__}.{subject}").install()
