# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where to connect to: the options that all modules share which talk to an archive."""

from __future__ import annotations


class ModuleDocFragment:
    """What listens somewhere, and how to connect to it."""

    DOCUMENTATION = r"""
options:
  host:
    description: The name or address of the peer, or of the tunnel in front of it.
    type: str
    required: true
  port:
    description: The port of the service.
    type: int
    required: true
  tls:
    description:
      - Use TLS, version 1.2 or newer. The certificate of the peer and its name are always verified.
      - Without this option the connection is neither encrypted nor verified.
      - V({}) uses TLS with the CAs of the system and no client certificate.
    type: dict
    suboptions:
      ca_certificate:
        description: A PEM file with the CA certificates to trust; without it, those of the system.
        type: path
      certificate:
        description: A PEM file with the client certificate, followed by its intermediates.
        type: path
      private_key:
        description: A PEM file with the key of O(tls.certificate), without a passphrase.
        type: path
      server_name:
        description:
          - The subject alternative name that the certificate of the peer must hold.
          - Without it, O(host).
        type: str
notes:
  - When a module fails, C(reason) holds one word for the cause, and C(msg) says what to do. The
    words for the connection are V(invalid_input), V(unknown_host), V(unreachable), V(refused),
    V(timeout), V(closed), V(tls_required), V(tls_not_offered), V(tls_version), V(tls_failed),
    V(certificate_missing), V(certificate_expired), V(certificate_unknown_ca),
    V(certificate_rejected), V(peer_certificate_expired), V(peer_certificate_unknown_ca),
    V(peer_certificate_name), V(peer_certificate_invalid), V(invalid_response) and V(status).
"""
