#!/usr/bin/python
# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: dicom_store
version_added: 1.0.0
short_description: Send DICOM files to a PACS
description:
  - Sends files by C-STORE, byte by byte as they are, and reports what became of each.
  - Every file is checked first. One that is not DICOM, is truncated, has UIDs that are none, or
    says of itself in its meta information another SOP class or instance than in its data set, is
    not sent; the others are.
  - One association carries all files, unless they need more presentation contexts than one can
    have, or the peer ends it over one of them. Each combination of SOP class and transfer syntax in
    the files is proposed by itself; nothing is converted.
  - A file is read while it is sent, so its size does not matter.
  - The module fails when a file was not stored. Running it again is safe, as a PACS tells objects
    apart by their SOP instance UID. A PACS does not say whether it had the object, so every stored
    file counts as a change.
options:
  src:
    description:
      - Files, and folders to search with all their subfolders.
      - A DICOMDIR, whatever it is called, is left out below a folder.
    type: list
    elements: path
    required: true
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
extends_documentation_fragment:
  - openpacs.dicoogle.endpoint
  - openpacs.dicoogle.dicom
  - openpacs.dicoogle.attributes
author:
  - openpacs contributors (@openpacs)
"""

EXAMPLES = r"""
- name: Send a study
  openpacs.dicoogle.dicom_store:
    host: pacs.example.org
    port: 104
    called_ae_title: ARCHIVE
    src: [/srv/export/study-1]

- name: See which files are whole, and what would be sent
  openpacs.dicoogle.dicom_store:
    host: pacs.example.org
    port: 104
    called_ae_title: ARCHIVE
    src: [/srv/export]
  check_mode: true
"""

RETURN = r"""
stored:
  description: How many files the peer has stored, or how many would be sent in check mode.
  returned: when the options are valid
  type: int
  sample: 2
not_stored:
  description: How many it has not.
  returned: when the options are valid
  type: int
  sample: 0
milliseconds:
  description: How long the sending took.
  returned: when the options are valid
  type: float
  sample: 310.4
files:
  description: What became of each file.
  returned: when the options are valid
  type: list
  elements: dict
  contains:
    path:
      description:
        - The file. A byte of its path that is not UTF-8 is shown as C(\udc) and two digits.
      type: str
    sop_instance_uid:
      description: The object in it; null when the file could not be read.
      type: str
    series_instance_uid:
      description: The series that it belongs to; null when it belongs to none.
      type: str
    study_instance_uid:
      description: The study that it belongs to; null when it belongs to none.
      type: str
    sop_class_uid:
      description: Its class; null when the file could not be read.
      type: str
    transfer_syntax_uid:
      description: Its encoding; null when the file could not be read.
      type: str
    stored:
      description: Whether the peer has stored it, or whether it would be sent in check mode.
      type: bool
    status_text:
      description: The status that the peer returned, in words; null when it returned none.
      type: str
      sample: 0x0000 Success
    reason:
      description: One word for why it was not stored; null when it was.
      type: str
      sample: truncated
    msg:
      description: A sentence on why it was not stored; null when it was.
      type: str
reason:
  description: The reason of the first file that was not stored.
  returned: failure
  type: str
  sample: truncated
"""

import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.files import (
    DicomFile,
    find_files,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.packages import (
    require_library,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.peer import (
    build_peer,
    peer_argument_spec,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.store import (
    Outcome,
    check_files,
    store,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import (
    printable,
    reporting_failures,
)


def describe(path: Path, file: DicomFile | None, outcome: Outcome | None) -> dict[str, Any]:
    """Return what became of a file. A whole file without an outcome would be sent."""
    error = outcome.error if outcome else None
    status = outcome.status if outcome else None
    return {
        "path": printable(path),
        "sop_instance_uid": file.sop_instance_uid if file else None,
        "series_instance_uid": file.series_instance_uid if file else None,
        "study_instance_uid": file.study_instance_uid if file else None,
        "sop_class_uid": file.sop_class if file else None,
        "transfer_syntax_uid": file.transfer_syntax if file else None,
        "stored": outcome.stored if outcome else True,
        "status_text": status.text if status else None,
        "reason": str(error.reason) if error else None,
        "msg": str(error) if error else None,
    }


def report(files: list[dict[str, Any]], seconds: float) -> dict[str, Any]:
    """Return the module's result, with `failed` when a file was not stored."""
    files = sorted(files, key=lambda file: file["path"])
    lost = [file for file in files if not file["stored"]]
    stored = [file["path"] for file in files if file["stored"]]
    result: dict[str, Any] = {
        "changed": bool(stored),
        "stored": len(stored),
        "not_stored": len(lost),
        "milliseconds": round(seconds * 1000, 1),
        "files": files,
        "diff": {"before": "", "after": "".join(f"{path}\n" for path in stored)},
    }
    if lost:
        more = f" And {len(lost) - 1} more: see files." if len(lost) > 1 else ""
        msg = f"{len(lost)} of {len(files)} files not stored. {lost[0]['msg']}{more}"
        result |= {"failed": True, "reason": lost[0]["reason"], "msg": msg}
    return result


def main() -> None:
    """Check the files, send those that are whole, report on all."""
    spec = {
        **peer_argument_spec(),
        "src": {"type": "list", "elements": "path", "required": True},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    require_library(module)
    with reporting_failures(module):
        peer = build_peer(module.params)
        whole, broken = check_files(find_files(module.params["src"]))
        begin = time.monotonic()
        outcomes = [] if module.check_mode else store(peer, whole)
        seconds = time.monotonic() - begin
        files = [describe(each.path, each.file, each) for each in [*broken, *outcomes]]
        if module.check_mode:
            files += [describe(file.path, file, None) for file in whole]
        module.exit_json(**report(files, seconds))


if __name__ == "__main__":
    main()
