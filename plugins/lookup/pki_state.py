# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lookup that reads a folder of certificates and says what is due."""

from __future__ import annotations

DOCUMENTATION = r"""
name: pki_state
short_description: Read the certificates of an environment and say which are due
version_added: 1.0.0
author:
  - openpacs contributors (@openpacs)
description:
  - Compares the certificates on the control node with their profiles.
  - Says which must be issued, and why.
  - Reads only. Returns paths, never key material.
requirements:
  - cryptography >= 42
options:
  _terms:
    description: The folder of the certificates.
    type: list
    elements: str
    required: true
  profiles:
    description:
      - Who holds a certificate, by name.
      - Each has V(organizational_unit) and V(uses), and may have V(other_names) and V(services).
    type: dict
    required: true
  domain:
    description: The private domain that holders have their names in.
    type: str
    required: true
  own:
    description:
      - Certificates of the user's own by holder.
      - Each has the paths V(certificate) and V(private_key).
    type: dict
    default: {}
  own_ca_bundle:
    description: Path of the CA certificates that signed those, in PEM format.
    type: str
    default: ''
  leaf_days:
    description: Lifetime of a new certificate, in days.
    type: int
    required: true
  renew_before_days:
    description: A certificate is due when it is valid for less than this many days.
    type: int
    required: true
  ca_overlap_days:
    description: How long a new CA is trusted, in days, before the one before it can no longer sign.
    type: int
    required: true
"""

EXAMPLES = r"""
- name: Say which certificates are due
  ansible.builtin.debug:
    msg: "{{ state.leaves | rejectattr('problems', 'equalto', []) | map(attribute='name') }}"
  vars:
    profiles: "{{ lookup('ansible.builtin.file', 'profiles.yml') | from_yaml }}"
    state: >-
      {{ lookup('openpacs.dicoogle.pki_state', '~/.openpacs/demo/pki', profiles=profiles,
                domain='demo.internal', leaf_days=397, renew_before_days=30,
                ca_overlap_days=90) }}
"""

RETURN = r"""
_raw:
  description: One dictionary.
  type: list
  elements: dict
  contains:
    new_authorities:
      description: At most one, the CA that is due.
      type: list
      elements: dict
      sample: [{"folder": "/…/ca/1", "number": 1, "reason": "there is none yet"}]
    signer:
      description: Paths of the CA that signs new certificates, empty without one.
      type: dict
      sample: {"certificate": "/…/ca/1/certificate.pem", "private_key": "/…/ca/1/private_key.pem"}
    bundle:
      description: The certificates of all trusted and valid CAs in PEM format.
      type: str
    leaves:
      description:
        - One entry for each holder. A certificate without problems can stay.
        - For one that is yet to be issued the paths are those of the new pair, the rest is V(null).
      type: list
      elements: dict
      sample:
        - name: nginx
          own: false
          services: []
          problems: []
          request:
            common_name: nginx.demo.internal
            organizational_unit: web
            subject_alt_name: ["DNS:nginx.demo.internal"]
            extended_key_usage: [serverAuth]
          link: /…/leaves/nginx
          folder: /…/leaves/nginx.2
          replaces: [/…/leaves/nginx.1]
          leaf:
            certificate: /…/leaves/nginx/certificate.pem
            private_key: /…/leaves/nginx/private_key.pem
            common_name: nginx.demo.internal
            not_after: "2027-12-25T09:00:00Z"
            fingerprint: 9f2c…
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.openpacs.dicoogle.plugins.plugin_utils import _pki

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


class LookupModule(LookupBase):
    """The state of each folder in the terms."""

    def run(
        self, terms: list[str], variables: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> list[dict[str, Any]]:
        """Return one dictionary per folder. Raises AnsibleLookupError when a CA cannot be read."""
        if _pki.CRYPTOGRAPHY_ERROR:
            raise AnsibleLookupError(
                "the Python library cryptography is missing on the control node; install it with "
                "pip install 'cryptography>=42'"
            ) from _pki.CRYPTOGRAPHY_ERROR
        self.set_options(var_options=variables, direct=kwargs)
        now = datetime.now(UTC)
        try:
            return [state(_pki.expand(term), self.get_options(), now) for term in terms]
        except (OSError, ValueError) as error:
            raise AnsibleLookupError(f"cannot read the CA certificates: {error}") from error


def state(directory: Path, options: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Describe a folder at a moment; `options` are those of the lookup."""
    own: Mapping[str, Mapping[str, str]] = options["own"]
    profiles = [
        profile(name, description, options["domain"])
        for name, description in options["profiles"].items()
    ]
    own_cas = (
        _pki.read_certificates(_pki.expand(options["own_ca_bundle"]))
        if options["own_ca_bundle"]
        else []
    )
    issuing = any(holder.name not in own for holder in profiles)
    authorities = _pki.read_authorities(directory) if issuing else []
    leaf_end = now + timedelta(days=options["leaf_days"])
    reason = issuing and _pki.authority_problem(
        authorities, leaf_end + timedelta(days=options["ca_overlap_days"])
    )
    signer = _pki.signer(authorities, leaf_end)
    trusted = [*own_cas, *(authority.certificate for authority in authorities)]
    renew_before = timedelta(days=options["renew_before_days"])
    return {
        "new_authorities": [new_authority(directory, reason)] if reason else [],
        "signer": paths(signer.pair) if signer else {},
        "bundle": _pki.bundle(trusted, now),
        "leaves": [
            own_leaf(holder, own[holder.name], trusted, now)
            if holder.name in own
            else issued_leaf(holder, directory / "leaves", trusted, now, renew_before)
            for holder in profiles
        ],
    }


def profile(name: str, description: Mapping[str, Any], domain: str) -> _pki.Profile:
    """Complete a holder's names with the private domain."""
    return _pki.Profile(
        name=str(name),
        common_name=f"{name}.{domain}",
        organizational_unit=str(description["organizational_unit"]),
        names=frozenset(f"{n}.{domain}" for n in [name, *description.get("other_names", [])]),
        uses=frozenset(map(str, description["uses"])),
        services=tuple(description.get("services", [])),
    )


def new_authority(directory: Path, reason: str) -> dict[str, Any]:
    """Describe the CA that is due."""
    folder = _pki.unused(directory / "ca", "")
    return {"folder": str(folder), "number": int(folder.name), "reason": reason}


def issued_leaf(
    holder: _pki.Profile,
    leaves: Path,
    trusted: Sequence[Certificate],
    now: datetime,
    renew_before: timedelta,
) -> dict[str, Any]:
    """Describe a certificate of our CA: what it should be, what it is and where a new one goes."""
    link = leaves / holder.name
    pair = _pki.pair_in(link)
    folder = _pki.unused(leaves, f"{holder.name}.")
    certificate = certificate_of(pair)
    reasons = ["there is none yet"]
    if pair.certificate.exists():
        problems = _pki.pair_problems(pair, trusted, now, renew_before)
        reasons = [problem.text for problem in problems] + _pki.differences(holder, certificate)
    return {
        "name": holder.name,
        "own": False,
        "services": list(holder.services),
        "problems": reasons,
        "request": {
            "common_name": holder.common_name,
            "organizational_unit": holder.organizational_unit,
            "subject_alt_name": [f"DNS:{name}" for name in sorted(holder.names)],
            "extended_key_usage": sorted(holder.uses),
        },
        "link": str(link),
        "folder": str(folder),
        "replaces": [str(old) for old in _pki.replaced_by(link)],
        "leaf": {
            **paths(_pki.pair_in(folder) if reasons else pair),
            **facts(None if reasons else certificate),
            "common_name": holder.common_name,
        },
    }


def own_leaf(
    holder: _pki.Profile, files: Mapping[str, str], trusted: Sequence[Certificate], now: datetime
) -> dict[str, Any]:
    """Describe a certificate of the user's own. Its common name is what its CA wrote."""
    pair = _pki.Pair(_pki.expand(files["certificate"]), _pki.expand(files["private_key"]))
    problems = _pki.pair_problems(pair, trusted, now, timedelta(0))
    certificate = certificate_of(pair)
    if certificate is not None:
        problems += _pki.shortfalls(holder, certificate, pair.certificate)
    return {
        "name": holder.name,
        "own": True,
        "services": list(holder.services),
        "problems": [str(problem) for problem in problems],
        "leaf": {**paths(pair), **facts(certificate)},
    }


def certificate_of(pair: _pki.Pair) -> Certificate | None:
    """Read the leaf, None when there is none; `pair_problems` says why."""
    try:
        return _pki.read_certificates(pair.certificate)[0]
    except (OSError, ValueError):
        return None


def facts(certificate: Certificate | None) -> dict[str, str | None]:
    """Return what others want to know of a certificate, nulls for one that is yet to be issued."""
    if certificate is None:
        return {"common_name": None, "not_after": None, "fingerprint": None}
    return {
        "common_name": _pki.common_name(certificate),
        "not_after": f"{certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
        "fingerprint": _pki.fingerprint(certificate),
    }


def paths(pair: _pki.Pair) -> dict[str, str]:
    """Return the files of a pair."""
    return {"certificate": str(pair.certificate), "private_key": str(pair.private_key)}
