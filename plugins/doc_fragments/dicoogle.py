# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options that the modules for Dicoogle's web API share, beside those of C(endpoint)."""

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
  - When a module fails, C(reason) holds one word for the cause, and C(msg) says what to do. The
    words are V(invalid_input), V(unknown_host), V(unreachable), V(refused), V(timeout), V(closed),
    V(tls_required), V(tls_not_offered), V(tls_version), V(tls_failed), V(certificate_missing),
    V(certificate_expired), V(certificate_unknown_ca), V(certificate_rejected),
    V(peer_certificate_expired), V(peer_certificate_unknown_ca), V(peer_certificate_name),
    V(peer_certificate_invalid), V(invalid_response), V(status), V(sign_in) and V(not_removed).
  - nginx says V(certificate_rejected) for a client certificate that has expired or that another CA
    has signed, too.
"""
