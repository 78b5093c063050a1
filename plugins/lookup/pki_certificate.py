# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lookup that signs certificate signing requests."""

from __future__ import annotations

DOCUMENTATION = r"""
name: pki_certificate
short_description: Sign a certificate signing request
version_added: 1.0.0
author:
  - openpacs contributors (@openpacs)
description:
  - Returns a new certificate for the key of a request, from which nothing else is taken.
  - Writes nothing. Returns another certificate at each call.
requirements:
  - cryptography >= 42
options:
  _terms:
    description: The requests, in PEM format.
    type: list
    elements: str
    required: true
  profile:
    description: What the certificate says, as P(openpacs.dicoogle.pki_state#lookup) returns it.
    type: dict
    required: true
    suboptions:
      common_name:
        description: The common name.
        type: str
      organizational_unit:
        description: The organizational unit.
        type: str
      names:
        description: The DNS names.
        type: list
        elements: str
      uses:
        description: Extended key usages, V(serverAuth) and V(clientAuth).
        type: list
        elements: str
  signer:
    description: Paths of the V(certificate) and the V(private_key) of the CA.
    type: dict
    required: true
  passphrase:
    description: What the key of the CA is encrypted with.
    type: str
    required: true
  days:
    description: Lifetime of the certificate, in days.
    type: int
    required: true
"""

EXAMPLES = r"""
- name: Sign a request
  ansible.builtin.copy:
    content: >-
      {{ lookup('openpacs.dicoogle.pki_certificate', lookup('ansible.builtin.file', 'ct-1.csr'),
                profile=profile, signer=signer, passphrase=passphrase, days=397) }}
    dest: ct-1.pem
    mode: "0600"
  vars:
    profile:
      common_name: ct-1.1.demo.internal
      organizational_unit: client
      names: [ct-1.1.demo.internal]
      uses: [clientAuth]
    signer:
      certificate: ca.pem
      private_key: ca.key
"""

RETURN = r"""
_raw:
  description: The certificates, in PEM format.
  type: list
  elements: str
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.openpacs.dicoogle.plugins.plugin_utils import _pki


class LookupModule(LookupBase):
    """One certificate for each request in the terms."""

    def run(
        self, terms: list[str], variables: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> list[str]:
        """Return the certificates. Raises AnsibleLookupError when the CA or a request is unfit."""
        if _pki.CRYPTOGRAPHY_ERROR:
            raise AnsibleLookupError(
                "the Python library cryptography is missing on the control node; install it with "
                "pip install 'cryptography>=42'"
            ) from _pki.CRYPTOGRAPHY_ERROR
        self.set_options(var_options=variables, direct=kwargs)
        options = self.get_options()
        now = datetime.now(UTC)
        signer = options["signer"]
        pair = _pki.Pair(_pki.expand(signer["certificate"]), _pki.expand(signer["private_key"]))
        try:
            authority = _pki.unlock(pair, options["passphrase"])
            return [
                _pki.sign(
                    term, options["profile"], authority, now, now + timedelta(options["days"])
                )
                for term in terms
            ]
        except (OSError, ValueError) as error:
            raise AnsibleLookupError(f"cannot sign: {error}") from error
