# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What tests of several folders share. See tests/README.md."""

from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
