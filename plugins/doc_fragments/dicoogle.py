# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options that the modules for Dicoogle's web API share, beside those of `endpoint`."""

from __future__ import annotations


class ModuleDocFragment:
    """How to talk to an entrance to Dicoogle's web API."""

    DOCUMENTATION = r"""
options:
  timeout:
    description: How long the connection may take, and then each answer, in seconds.
    type: float
    default: 10.0
notes:
  - The words for Dicoogle are V(sign_in), V(not_removed), and for its keeper V(no_keeper), V(busy)
    and V(not_done).
  - nginx says V(certificate_rejected) for a client certificate that has expired or that another CA
    has signed, too.
"""
