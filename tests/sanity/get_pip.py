# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What ansible-test runs for get-pip.py: pip as Python brings it, then the version it wants."""

from __future__ import annotations

import subprocess
import sys

requirements = [each for each in sys.argv[1:] if each not in ("--no-setuptools", "--no-wheel")]
subprocess.run([sys.executable, "-m", "ensurepip"], check=True)
subprocess.run([sys.executable, "-m", "pip", "install", *requirements], check=True)
