# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Modules run in the process of the tests."""

from __future__ import annotations

from support.module_runs import run_module

__all__ = ["run_module"]
