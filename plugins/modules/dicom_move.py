#!/usr/bin/python
# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: dicom_move
version_added: 1.0.0
short_description: Have a PACS send images to another application entity
description:
  - Sends a C-MOVE for a study, one of its series, or one image, and waits for the final answer.
  - The peer opens the connection to O(destination), so it must know its address and port.
  - The module fails when an image did not arrive, also where the peer calls that a success, as
    Dicoogle does. That nothing matches is no failure in DICOM; RV(matched) is V(0) then.
  - In check mode the options are checked, and nothing is asked of the peer.
options:
  study_instance_uid:
    description:
      - The study, by exactly one UID; anything else is refused before the peer is asked.
      - Dicoogle finds nothing for a list of UIDs, and moves its whole archive for an empty one.
    type: str
    required: true
  series_instance_uid:
    description: A series of it; without it, the whole study is moved.
    type: str
  sop_instance_uid:
    description: An image of O(series_instance_uid); without it, the whole series is moved.
    type: str
  destination:
    description: The application entity title to move to, 1 to 16 characters.
    type: str
    required: true
  receive:
    description:
      - Listen for the images as O(destination), on 127.0.0.1 and while the move lasts.
      - Without TLS, so where the peer is elsewhere a tunnel must lead to this port.
    type: dict
    suboptions:
      port:
        description: The port to listen on.
        type: int
        required: true
      path:
        description: An existing folder; each image is written to it as C(<SOP instance UID>.dcm).
        type: path
        required: true
  dimse_timeout:
    description:
      - How long each answer may take, in seconds.
      - Some PACS, Dicoogle among them, only answer when the last image has been moved.
    type: float
    default: 600.0
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
notes:
  - RV(reason) is V(unknown_destination) where the peer says so. Dicoogle does not tell that from a
    destination that is down or rejects the association, so it is V(destination_failed) then.
extends_documentation_fragment:
  - openpacs.dicoogle.endpoint
  - openpacs.dicoogle.dicom
  - openpacs.dicoogle.attributes
author:
  - openpacs contributors (@openpacs)
"""

EXAMPLES = r"""
- name: Bring a study to the workstation
  openpacs.dicoogle.dicom_move:
    host: pacs.example.org
    port: 104
    called_ae_title: ARCHIVE
    study_instance_uid: 1.3.6.1.4.1.5962.1.2.1.20040119072730.12322
    destination: WORKSTATION

- name: Fetch a study to this machine, which the PACS knows as WORKSTATION
  openpacs.dicoogle.dicom_move:
    host: pacs.example.org
    port: 104
    called_ae_title: ARCHIVE
    study_instance_uid: 1.3.6.1.4.1.5962.1.2.1.20040119072730.12322
    destination: WORKSTATION
    receive: {port: 11112, path: /srv/studies}
"""

RETURN = r"""
matched:
  description:
    - How many images the peer found; null when it does not count them.
    - A peer that reports success with neither counts nor progress, as Dicoogle does, found none.
  returned: when the peer has answered, except in check mode
  type: int
  sample: 2
completed:
  description: How many arrived; null when the peer does not count them.
  returned: when the peer has answered, except in check mode
  type: int
  sample: 2
warning:
  description: How many arrived with a warning; null when the peer does not count them.
  returned: when the peer has answered, except in check mode
  type: int
  sample: 0
not_moved:
  description:
    - How many did not arrive, RV(remaining) included; null when the peer does not count them.
  returned: when the peer has answered, except in check mode
  type: int
  sample: 0
not_moved_uids:
  description: The SOP instance UIDs of those that did not arrive, as far as the peer names them.
  returned: when images did not arrive
  type: list
  elements: str
remaining:
  description:
    - How many were left when the peer stopped; null when the peer does not count them.
    - Dicoogle counts here those that the destination did not take.
  returned: when the peer has answered, except in check mode
  type: int
  sample: 0
status:
  description: The DIMSE status of the final answer.
  returned: when the peer has answered, except in check mode
  type: str
  sample: "0x0000"
status_text:
  description: The DIMSE status in words.
  returned: when the peer has answered, except in check mode
  type: str
  sample: 0x0000 Success
received:
  description: The files that O(receive) has written.
  returned: when O(receive) is given, except in check mode
  type: list
  elements: str
level:
  description: What was moved, V(study), V(series) or V(image).
  returned: success
  type: str
  sample: study
milliseconds:
  description: The time from connecting to the final answer.
  returned: success, except in check mode
  type: float
  sample: 345.6
reason:
  description: One word for the cause; see the notes.
  returned: failure
  type: str
  sample: unknown_destination
"""

import contextlib
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.files import check_uid
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.move import (
    Selection,
    move,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.packages import (
    require_library,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.peer import (
    ae_title,
    build_peer,
    peer_argument_spec,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.receive import (
    Receiver,
    receiving,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import reporting_failures


def build_selection(params: dict[str, Any]) -> Selection:
    """Return what the options select.

    Raises DicomError: one is no UID. Dicoogle moves its whole archive for a study without one.
    """
    options = ("study_instance_uid", "series_instance_uid", "sop_instance_uid")
    for option in options:
        if params[option] is not None:
            check_uid(option, params[option])
    return Selection(*(params[option] for option in options))


def main() -> None:
    """Send a C-MOVE and report the final answer."""
    spec = {
        **peer_argument_spec(),
        "study_instance_uid": {"type": "str", "required": True},
        "series_instance_uid": {"type": "str"},
        "sop_instance_uid": {"type": "str"},
        "destination": {"type": "str", "required": True},
        "receive": {
            "type": "dict",
            "options": {
                "port": {"type": "int", "required": True},
                "path": {"type": "path", "required": True},
            },
        },
        "dimse_timeout": {"type": "float", "default": 600.0},
    }
    module = AnsibleModule(
        argument_spec=spec,
        required_by={"sop_instance_uid": ["series_instance_uid"]},
        supports_check_mode=True,
    )
    require_library(module)
    params = module.params
    begin = time.monotonic()
    with reporting_failures(module):
        peer = build_peer(params)
        selection = build_selection(params)
        destination = ae_title("destination", params["destination"])
        if module.check_mode:
            module.exit_json(changed=True, level=selection.level)
        with contextlib.ExitStack() as stack:
            received = None
            if here := params["receive"]:
                receiver = Receiver(destination, here["port"], Path(here["path"]))
                received = stack.enter_context(receiving(receiver))
            status, counts = move(peer, selection, destination)
        module.exit_json(
            changed=counts.matched != 0,
            level=selection.level,
            status=f"0x{status.code:04X}",
            status_text=status.text,
            milliseconds=round((time.monotonic() - begin) * 1000, 1),
            **counts.result(),
            **({} if received is None else {"received": [str(path) for path in received]}),
        )


if __name__ == "__main__":
    main()
