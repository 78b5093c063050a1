#!/usr/bin/python
# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: dicoogle_instance
version_added: 1.0.0
short_description: Remove images from Dicoogle's archive
description:
  - Deletes the files of SOP instances, and then takes them out of Dicoogle's index.
  - A run that is killed in between finds the same instances again.
  - Nothing is removed unless each search has found exactly the instance that was asked for.
options:
  sop_instance_uids:
    description: The instances. One that the index does not have is already absent.
    type: list
    elements: str
    required: true
  state:
    description: V(absent) removes them.
    type: str
    choices: [absent]
    required: true
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
notes:
  - Dicoogle finds an instance only once it is indexed, which is a little after it was stored.
  - Dicoogle 3.5 remembers what it has indexed, even once that was removed or only taken out of the
    index. An instance that is stored again is kept as a file, but nobody finds it until Dicoogle
    was restarted B(and) then told to index the file. In the container image of this collection,
    the keeper does both by itself.
  - An instance that is stored again without having been removed replaces the file, but the index
    keeps what it had. So remove first what is to be corrected.
extends_documentation_fragment:
  - openpacs.dicoogle.endpoint
  - openpacs.dicoogle.dicoogle
  - openpacs.dicoogle.attributes
author:
  - openpacs contributors (@openpacs)
"""

EXAMPLES = r"""
- name: Remove an image
  openpacs.dicoogle.dicoogle_instance:
    host: management.pacs.example.org
    port: 18443
    tls:
      ca_certificate: pki/ca.pem
      certificate: pki/administrator.pem
      private_key: pki/administrator.key
    sop_instance_uids:
      - 1.3.6.1.4.1.5962.1.1.1.1.1.20040119072730.12322
    state: absent
"""

RETURN = r"""
removed:
  description: The UIDs that were removed, or that would be in check mode.
  returned: always
  type: list
  elements: str
  sample: [1.3.6.1.4.1.5962.1.1.1.1.1.20040119072730.12322]
uris:
  description:
    - The URIs of their files.
    - Dicoogle makes them of the institution, modality, date, accession number and UID.
  returned: always
  type: list
  elements: str
  sample: ["file:///data/images/JFK/CT/2004/01/19/1/1.3.6.1.4.1.5962.1.1.1.1.1.20040119072730.12322.dcm"]
milliseconds:
  description: The time from the first connection to the last answer.
  returned: success
  type: float
  sample: 123.4
status:
  description: The HTTP status that was not expected.
  returned: when RV(reason) is V(status)
  type: int
  sample: 500
reason:
  description: One word for the cause; see the notes.
  returned: failure
  type: str
  sample: not_removed
"""

import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.errors import DicomError
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.files import check_uid
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicoogle.instances import (
    find,
    remove,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicoogle.web import (
    build_entrance,
    entrance_argument_spec,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import reporting_failures


def report(found: dict[str, list[str]], removed: list[str]) -> dict[str, Any]:
    """Return what became of the instances that were found."""
    uris = [uri for uid in removed for uri in found[uid]]
    return {"changed": bool(removed), "removed": removed, "uris": uris}


def main() -> None:
    """Search for all instances, remove those that are there, report on them."""
    spec = {
        **entrance_argument_spec(),
        "sop_instance_uids": {"type": "list", "elements": "str", "required": True},
        "state": {"type": "str", "choices": ["absent"], "required": True},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    begin = time.monotonic()
    found: dict[str, list[str]] = {}
    removed: list[str] = []
    with reporting_failures(module):
        entrance = build_entrance(module.params)
        option = "sop_instance_uids"
        uids = dict.fromkeys(check_uid(option, uid) for uid in module.params[option])
        try:
            found = {uid: uris for uid in uids if (uris := find(entrance, uid))}
            for uid, uris in found.items():
                if not module.check_mode:
                    remove(entrance, uid, uris)
                removed.append(uid)
        except DicomError as error:
            error.details |= report(found, removed)
            raise
        milliseconds = round((time.monotonic() - begin) * 1000, 1)
        module.exit_json(**report(found, removed), milliseconds=milliseconds)


if __name__ == "__main__":
    main()
