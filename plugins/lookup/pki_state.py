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
  csrs:
    description: Certificate signing requests by holder, for keys that stay where they were made.
    type: dict
    default: {}
  revoked:
    description: Pairs that are let in no more, by holder and generation, such as V(client.1).
    type: list
    elements: str
    default: []
  overlap:
    description:
      - Holders whose last certificate stays allowed after a renewal, until it expires.
      - Only when its age alone made the renewal due, within O(renew_before_days) before its end.
    type: list
    elements: str
    default: []
  passphrase:
    description: What the keys of the CAs are encrypted with; empty when it is lost.
    type: str
    default: ''
  signing_ca:
    description: The lowest number of a CA that may sign. Those before it stay trusted.
    type: int
    default: 1
  oldest_ca:
    description: The lowest number of a CA that is trusted.
    type: int
    default: 1
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
    authorities:
      description: The numbers of the CAs that are trusted.
      type: list
      elements: int
    new_authorities:
      description: At most one, the CA that is due.
      type: list
      elements: dict
      sample: [{"folder": "/…/ca/1", "number": 1, "reason": "there is none yet"}]
    refused:
      description: What is wrong with the keys of the CAs and the folder, for a person to correct.
      type: list
      elements: str
    signer:
      description: Paths of the CA that signs new certificates, empty without one.
      type: dict
      sample: {"certificate": "/…/ca/1/certificate.pem", "private_key": "/…/ca/1/private_key.pem"}
    bundle:
      description: The certificates of all trusted and valid CAs in PEM format.
      type: str
    leaves:
      description:
        - One entry for each holder. A certificate without V(problems) can stay.
        - What is V(refused) is for a person to correct.
        - V(allowed) are the common names by which the archive may let the holder in.
        - For one that is yet to be issued the paths are those of the new pair, the rest is V(null).
      type: list
      elements: dict
      sample:
        - name: nginx
          services: []
          refused: []
          problems: []
          allowed: [nginx.demo.internal]
          csr: ""
          profile:
            common_name: nginx.demo.internal
            organizational_unit: web
            names: [nginx.demo.internal]
            uses: [serverAuth]
          link: /…/leaves/nginx
          folder: /…/leaves/nginx.2
          record: /…/issued/nginx.2.pem
          replaces: [/…/leaves/nginx.1]
          leaf:
            certificate: /…/leaves/nginx/certificate.pem
            private_key: /…/leaves/nginx/private_key.pem
            common_name: nginx.demo.internal
            not_after: "2027-12-25T09:00:00Z"
            fingerprint: 9f2c…
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
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
            raise AnsibleLookupError(f"cannot read the certificates: {error}") from error


def state(directory: Path, options: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Describe a folder at a moment; `options` are those of the lookup."""
    own: Mapping[str, Mapping[str, str]] = options["own"]
    own_cas = (
        _pki.read_certificates(_pki.expand(options["own_ca_bundle"]))
        if options["own_ca_bundle"]
        else []
    )
    issuing = any(name not in own for name in options["profiles"])
    authorities = [
        authority
        for authority in (_pki.read_authorities(directory) if issuing else [])
        if authority.number >= options["oldest_ca"]
    ]
    signing = [each for each in authorities if each.number >= options["signing_ca"]]
    leaf_end = now + timedelta(days=options["leaf_days"])
    reason = issuing and _pki.authority_problem(
        signing, leaf_end + timedelta(days=options["ca_overlap_days"]), first_authority(options)
    )
    signer = _pki.signer(signing, leaf_end)
    trusted = [*own_cas, *(authority.certificate for authority in authorities)]
    return {
        "authorities": [authority.number for authority in authorities],
        "new_authorities": [new_authority(directory, options, reason)] if reason else [],
        "refused": [
            str(problem)
            for problem in authority_defects(signing, options["passphrase"], now)
            + _pki.seen_by_others(directory)
        ],
        "signer": paths(signer.pair) if signer else {},
        "bundle": _pki.bundle(trusted, now),
        "leaves": [
            own_leaf(name, options, trusted, now)
            if name in own
            else issued_leaf(name, directory, options, trusted, now)
            for name in options["profiles"]
        ],
    }


def first_authority(options: Mapping[str, Any]) -> str:
    """Explain why there is no CA that may sign."""
    asked = [name for name in ("oldest_ca", "signing_ca") if options[name] > 1]
    reasons = [f"pki_{name} is {options[name]}" for name in asked]
    return " and ".join(reasons) or "there is none yet"


def authority_defects(
    signing: Sequence[_pki.Authority], passphrase: str, now: datetime
) -> list[_pki.Problem]:
    """Explain what is wrong with the CAs that have their keys."""
    keyed = [authority for authority in signing if authority.can_sign_until(now)]
    return [
        problem
        for authority in keyed
        for problem in _pki.authority_defects(authority, passphrase, now)
    ]


def new_authority(directory: Path, options: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """Describe the CA that is due."""
    before = (options["oldest_ca"] - 1, options["signing_ca"] - 1)
    number = _pki.next_number(_pki.numbered(directory / "ca", ""), before)
    return {"folder": str(directory / "ca" / str(number)), "number": number, "reason": reason}


def profile(name: str, options: Mapping[str, Any], generation: int = 0) -> _pki.Profile:
    """Return what a holder's certificate must say."""
    return _pki.Profile.of(name, options["profiles"][name], options["domain"], generation)


def issued_leaf(
    name: str,
    directory: Path,
    options: Mapping[str, Any],
    trusted: Sequence[Certificate],
    now: datetime,
) -> dict[str, Any]:
    """Describe a certificate of our CA: what it should be, what it is and where a new one goes."""
    leaves, link = directory / "leaves", directory / "leaves" / name
    register = _pki.register(directory, name)
    csr = _pki.expand(options["csrs"][name]) if name in options["csrs"] else None
    refused = _pki.request_problems(csr, keys_of_others(name, directory, options)) if csr else []
    generation, pair = _pki.generation_in_use(link), _pki.pair_in(link)
    certificate = certificate_of(pair)
    reasons = (
        [] if refused else reasons_to_issue(name, pair, generation, csr, options, trusted, now)
    )
    if reasons:
        generation = _pki.next_number(_pki.numbered(leaves, f"{name}."), register)
        pair, certificate = _pki.pair_in(leaves / f"{name}.{generation}"), None
    holder = profile(name, options, generation)
    since = certificate.not_valid_before_utc if certificate else now
    return {
        "name": name,
        "services": list(holder.services),
        "refused": [str(problem) for problem in refused],
        "problems": reasons,
        "allowed": [
            holder.common_name,
            *last_allowed(name, generation, since, register, options),
        ],
        "csr": str(csr or ""),
        "profile": {
            "common_name": holder.common_name,
            "organizational_unit": holder.organizational_unit,
            "names": sorted(holder.names),
            "uses": sorted(holder.uses),
        },
        "link": str(link),
        "folder": str(leaves / f"{name}.{generation}"),
        "record": str(directory / "issued" / f"{name}.{generation}.pem"),
        "replaces": [str(old) for old in _pki.replaced_by(link)],
        "leaf": {
            **paths(pair),
            **({"private_key": None} if csr else {}),
            **facts(certificate),
            "common_name": holder.common_name,
        },
    }


def reasons_to_issue(
    name: str,
    pair: _pki.Pair,
    generation: int,
    csr: Path | None,
    options: Mapping[str, Any],
    trusted: Sequence[Certificate],
    now: datetime,
) -> list[str]:
    """Explain why the pair in use cannot stay."""
    if not pair.certificate.exists():
        return ["there is none yet"]
    if f"{name}.{generation}" in options["revoked"]:
        return [f"{name}.{generation} is in pki_revoked"]
    renew_before = timedelta(days=options["renew_before_days"])
    problems = _pki.pair_problems(pair, trusted, now, renew_before, csr)
    holder = profile(name, options, generation)
    return [problem.text for problem in problems] + _pki.differences(holder, certificate_of(pair))


def keys_of_others(name: str, directory: Path, options: Mapping[str, Any]) -> dict[bytes, str]:
    """Return the keys that a holder's request must not have, and whose they are."""
    keys: dict[bytes, str] = {}
    for path in sorted((directory / "issued").glob("*.pem")):
        if path.stem.rpartition(".")[0] != name or path.stem in options["revoked"]:
            keys[_pki.key_bytes(_pki.read_certificates(path)[0])] = path.stem
    for other, csr in options["csrs"].items():
        if other != name:
            with suppress(OSError, ValueError):  # those are refused by themselves
                keys[_pki.key_bytes(_pki.read_request(_pki.expand(csr)))] = other
    return keys


def last_allowed(
    name: str,
    generation: int,
    since: datetime,
    register: Mapping[int, Path],
    options: Mapping[str, Any],
) -> list[str]:
    """Return the common name of the last generation where both are allowed for a time."""
    last = max((number for number in register if number < generation), default=0)
    if not last or name not in options["overlap"] or f"{name}.{last}" in options["revoked"]:
        return []
    certificate = _pki.read_certificates(register[last])[0]
    renew_before = timedelta(days=options["renew_before_days"])
    planned = _pki.replaced_for_its_age(certificate, since, renew_before)
    return [_pki.common_name(certificate)] if planned else []


def own_leaf(
    name: str, options: Mapping[str, Any], trusted: Sequence[Certificate], now: datetime
) -> dict[str, Any]:
    """Describe a certificate of the user's own. Its common name is what its CA wrote."""
    files, holder = options["own"][name], profile(name, options)
    pair = _pki.Pair(_pki.expand(files["certificate"]), _pki.expand(files["private_key"]))
    problems = _pki.pair_problems(pair, trusted, now, timedelta(0))
    certificate = certificate_of(pair)
    if certificate is not None:
        problems += _pki.shortfalls(holder, certificate, pair.certificate)
    leaf = {**paths(pair), **facts(certificate)}
    return {
        "name": name,
        "services": list(holder.services),
        "refused": [str(problem) for problem in problems],
        "problems": [],
        "allowed": [leaf["common_name"]],
        "leaf": leaf,
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
