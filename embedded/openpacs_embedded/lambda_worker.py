# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lambda functions in Python: their answers to CloudFormation reach the server over plain HTTP.

CloudFormation hands a custom resource an https URL for its answer, and helpers such as crhelper
open a TLS connection whatever the URL says. The server speaks HTTP on the loopback interface.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import cleandoc

from ministack.core import lambda_runtime

from openpacs_embedded.patching import replace

PREAMBLE = cleandoc("""
    import http.client

    _connect_with_tls = http.client.HTTPSConnection.connect

    def _connect(self):
        plain = http.client.HTTPConnection.connect
        (plain if self.host == "127.0.0.1" else _connect_with_tls)(self)

    http.client.HTTPSConnection.connect = _connect
""")


def detect_runtime_binary(
    original: Callable[[str], tuple[str, str]], runtime: str
) -> tuple[str, str]:
    """Give Python workers a preamble that sends HTTPS to 127.0.0.1 as HTTP."""
    binary, script = original(runtime)
    if runtime.startswith("python"):
        script = f"{PREAMBLE}\n{script}"
    return binary, script


def install() -> None:
    """Change what Python workers run."""
    replace("_detect_runtime_binary", detect_runtime_binary, lambda_runtime)
