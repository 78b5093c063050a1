#!/usr/bin/python
# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: dicom_find
version_added: 1.0.0
short_description: Ask a PACS what it has
description:
  - Sends a C-FIND and returns the matches.
  - Level V(patient) asks the Patient Root, the others the Study Root information model.
  - Changes nothing, so it does the same in check mode.
options:
  level:
    description: What each match is.
    type: str
    choices: [patient, study, series, image]
    default: study
  query:
    description:
      - Attributes by keyword, as in PS3.6, with the value to match. Wildcards and ranges are those
        of DICOM, such as V(DOE*) and V(20260101-20260131). Quote values that only have digits.
      - An empty value matches everything and asks for the attribute. The unique key of O(level),
        such as C(StudyInstanceUID), is always asked for.
      - At V(series) and V(image), most PACS want the unique keys of the levels above.
    type: dict
    default: {}
  limit:
    description: Cancel the query after this many matches.
    type: int
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
extends_documentation_fragment:
  - openpacs.dicoogle.endpoint
  - openpacs.dicoogle.dicom
  - openpacs.dicoogle.attributes
author:
  - openpacs contributors (@openpacs)
"""

EXAMPLES = r"""
- name: Find the CT studies of January
  openpacs.dicoogle.dicom_find:
    host: pacs.example.org
    port: 104
    called_ae_title: ARCHIVE
    query:
      StudyDate: 20260101-20260131
      ModalitiesInStudy: CT
      StudyDescription: ""
    limit: 100
  register: january

- name: Show them
  ansible.builtin.debug:
    msg: "{{ january.matches | map(attribute='StudyDescription') | list }}"
"""

RETURN = r"""
matches:
  description:
    - One dictionary of keyword to value for each match.
    - Private and binary attributes are left out, sequences are lists of dictionaries.
  returned: success
  type: list
  elements: dict
  sample: [{"StudyInstanceUID": "1.2.3", "StudyDescription": "Abdomen"}]
limited:
  description: Whether there are more matches than O(limit).
  returned: success
  type: bool
  sample: false
milliseconds:
  description: The time from connecting to the last answer.
  returned: success
  type: float
  sample: 45.6
reason:
  description: One word for the cause; see the notes.
  returned: failure
  type: str
  sample: timeout
"""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.packages import (
    require_library,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.peer import (
    build_peer,
    peer_argument_spec,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.query import find
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import reporting_failures


def main() -> None:
    """Send a C-FIND and report the matches."""
    spec = {
        **peer_argument_spec(),
        "level": {
            "type": "str",
            "choices": ["patient", "study", "series", "image"],
            "default": "study",
        },
        "query": {"type": "dict", "default": {}},
        "limit": {"type": "int"},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    require_library(module)
    params = module.params
    begin = time.monotonic()
    with reporting_failures(module):
        found = find(build_peer(params), params["level"], params["query"], params["limit"])
        milliseconds = round((time.monotonic() - begin) * 1000, 1)
        module.exit_json(
            changed=False, matches=found.matches, limited=found.limited, milliseconds=milliseconds
        )


if __name__ == "__main__":
    main()
