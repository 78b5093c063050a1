#!/usr/bin/python
# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: dicom_copy
version_added: 1.0.0
short_description: Copy DICOM objects under new UIDs
description:
  - Writes each file once more, as an object of its own with new UIDs of the object, its series and
    its study. What belonged together still does; a reference from one copied file to another leads
    to its copy.
  - Everything else stays as it is, the patient and the pixels included. It does not de-identify.
  - Made to try a PACS with. A PACS tells objects apart by their UIDs, and some, Dicoogle among
    them, do not index one again that they once had.
  - Every run makes new copies, so it always reports a change.
options:
  src:
    description:
      - Files, and folders to search with all their subfolders.
      - A DICOMDIR, whatever it is called, is left out below a folder.
    type: list
    elements: path
    required: true
  dest:
    description: An existing folder; each copy is written to it as C(<SOP instance UID>.dcm).
    type: path
    required: true
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
requirements:
  - pynetdicom >= 3.0.0
extends_documentation_fragment:
  - openpacs.dicoogle.attributes
author:
  - openpacs contributors (@openpacs)
"""

EXAMPLES = r"""
- name: Make an image that no PACS has seen
  openpacs.dicoogle.dicom_copy:
    src: [phantom.dcm]
    dest: /tmp/trial
"""

RETURN = r"""
files:
  description: The copies, or in check mode the UIDs and paths that copies could have had.
  returned: success, and on failure those made before
  type: list
  elements: dict
  contains:
    src:
      description: The file that was copied.
      type: str
    path:
      description: The copy.
      type: str
    sop_instance_uid:
      description: The object in it.
      type: str
    series_instance_uid:
      description: The series that it belongs to; null when it belongs to none.
      type: str
    study_instance_uid:
      description: The study that it belongs to; null when it belongs to none.
      type: str
reason:
  description: V(not_dicom), V(truncated), V(unreadable) or V(invalid_input).
  returned: failure
  type: str
  sample: truncated
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.copies import (
    Copy,
    plan,
    renew,
    write,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.errors import DicomError
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.files import (
    find_files,
    read_file,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.packages import (
    require_library,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import (
    printable,
    reporting_failures,
)


def report(copies: list[Copy]) -> dict[str, Any]:
    """Return the module's result for the copies that were made."""
    files = [
        {**asdict(each), "src": printable(each.src), "path": printable(each.path)}
        for each in copies
    ]
    return {"changed": bool(copies), "files": files}


def main() -> None:
    """Check all files, then copy them."""
    spec = {
        "src": {"type": "list", "elements": "path", "required": True},
        "dest": {"type": "path", "required": True},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    require_library(module)
    done: list[Copy] = []
    with reporting_failures(module):
        try:
            files = [read_file(path) for path in find_files(module.params["src"])]
            new = renew(files)
            for copy in plan(files, Path(module.params["dest"]), new):
                if not module.check_mode:
                    write(copy, new)
                done.append(copy)
        except DicomError as error:
            error.details |= report(done)
            raise
        module.exit_json(**report(done))


if __name__ == "__main__":
    main()
