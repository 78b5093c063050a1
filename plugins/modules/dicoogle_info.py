#!/usr/bin/python
# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: dicoogle_info
version_added: 1.0.0
short_description: Ask Dicoogle for its version and how its archive is
description:
  - Asks an entrance to Dicoogle's web page for C(/ext/version), and reports how long that took.
  - Where people have to sign in first, it reports the host of the sign-in page instead.
  - At the management entrance of this collection's container image it also asks the keeper, which
    sees to it that every image that Dicoogle acknowledged can be found.
  - Changes nothing, so it does the same in check mode.
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
extends_documentation_fragment:
  - openpacs.dicoogle.endpoint
  - openpacs.dicoogle.dicoogle
  - openpacs.dicoogle.attributes
author:
  - openpacs contributors (@openpacs)
"""

EXAMPLES = r"""
- name: Ask the management entrance
  openpacs.dicoogle.dicoogle_info:
    host: management.pacs.example.org
    port: 18443
    tls:
      ca_certificate: pki/ca.pem
      certificate: pki/administrator.pem
      private_key: pki/administrator.key

- name: See that people have to sign in
  openpacs.dicoogle.dicoogle_info:
    host: pacs.example.org
    port: 443
    tls: {}
  register: web
  failed_when: web.failed or web.sign_in is none
"""

RETURN = r"""
version:
  description: The version of Dicoogle; null when a sign-in page stands in front of it.
  returned: success
  type: str
  sample: 3.5.1
sign_in:
  description: The host of the sign-in page; null when there is none.
  returned: success
  type: str
  sample: pacs.auth.eu-central-1.amazoncognito.com
keeper:
  description: What the keeper says; null where there is none.
  returned: success
  type: dict
  contains:
    not_findable:
      description: How many images are stored and not in the index yet.
      type: int
      sample: 0
    oldest_seconds:
      description: For how many seconds the oldest of them has been stored.
      type: float
      sample: 0.0
    storage_open:
      description: Whether the archive takes images. It does not while a disk cannot be written.
      type: bool
      sample: true
    restarting:
      description: Whether the keeper is restarting Dicoogle.
      type: bool
      sample: false
    index:
      description:
        - V(ok), or V(lost) when images that were indexed cannot be found any more, until all images
          were indexed again with M(openpacs.dicoogle.dicoogle_index).
      type: str
      sample: ok
    never_findable:
      description: The images that Dicoogle will never find, each with C(sop_instance_uid), C(uri)
        and the C(reason).
      type: list
      elements: dict
      sample:
        - sop_instance_uid: 1.3.6.1.4.1.5962.1.1.1.1.1.20040119072730.12322
          uri: "file:///data/images/JFK/UN_MODALITY/2004/01/19/1/1.3.6.1.4.1.5962.1.1.1.1.1.dcm"
          reason: it has no Modality (0008,0060)
    reindex:
      description: The newest report of M(openpacs.dicoogle.dicoogle_index), or null.
      type: dict
status:
  description: The HTTP status.
  returned: success, and when RV(reason) is V(status)
  type: int
  sample: 200
milliseconds:
  description: The time from connecting to the answer.
  returned: success
  type: float
  sample: 12.3
reason:
  description: One word for the cause; see the notes.
  returned: failure
  type: str
  sample: certificate_missing
"""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicoogle.keeper import (
    read_status,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicoogle.version import greet
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicoogle.web import (
    build_entrance,
    entrance_argument_spec,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import reporting_failures


def main() -> None:
    """Ask for the version and report the answer."""
    module = AnsibleModule(argument_spec=entrance_argument_spec(), supports_check_mode=True)
    begin = time.monotonic()
    with reporting_failures(module):
        entrance = build_entrance(module.params)
        greeting = greet(entrance)
        milliseconds = round((time.monotonic() - begin) * 1000, 1)
        keeper = None if greeting.sign_in else read_status(entrance)
        module.exit_json(
            changed=False,
            version=greeting.version,
            sign_in=greeting.sign_in,
            status=greeting.status,
            milliseconds=milliseconds,
            keeper=keeper,
        )


if __name__ == "__main__":
    main()
