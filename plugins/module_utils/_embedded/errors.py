# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What can go wrong with an embedded AWS."""

from __future__ import annotations


class EmbeddedError(Exception):
    """A sentence for the user: what failed, why, and what to do next."""
