#!/usr/bin/python
# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: dicoogle_index
version_added: 1.0.0
short_description: Have Dicoogle index its images again
description:
  - Has the keeper of this collection's container image go through a folder of stored images, the
    newest first, and Dicoogle index what its index does not have. Then it waits until that is done.
  - It is meant for an index that was lost, for images that were restored from a backup, and for
    files that were brought in by other ways than the import folder.
  - What is in the index already is passed over, so it is safe to run at any time.
  - It goes on when this run ends early, and after a restart of the archive. A second run follows
    the first one.
  - In check mode nothing is asked of the archive.
options:
  path:
    description: The folder in the container, which is C(/data/images) or below it. Left out, all
      images are indexed again.
    type: str
  wait_timeout:
    description:
      - How many seconds to wait.
      - Dicoogle needs 1 to 5 seconds for 1,000 small images from a local disk, and more on EFS.
    type: float
    default: 86400.0
  progress_file:
    description:
      - A file to which a line is appended at each look, for others to show.
      - The action plugin of this module sets it.
    type: path
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
- name: Fill an index that was lost
  openpacs.dicoogle.dicoogle_index:
    host: management.pacs.example.org
    port: 18443
    tls:
      ca_certificate: pki/ca.pem
      certificate: pki/administrator.pem
      private_key: pki/administrator.key
"""

RETURN = r"""
path:
  description: The folder that was indexed again.
  returned: success, except in check mode
  type: str
  sample: /data/images
folders:
  description: How many folders it has; a file beside folders counts as one.
  returned: success, except in check mode
  type: int
  sample: 412
folders_done:
  description: How many of them were gone through.
  returned: success, except in check mode
  type: int
  sample: 412
indexed:
  description: How many images came into the index.
  returned: success, except in check mode
  type: int
  sample: 3012
errors:
  description: How many files could not be indexed. Dicoogle's log names them.
  returned: success, except in check mode
  type: int
  sample: 0
seconds:
  description: How long it took.
  returned: success, except in check mode
  type: float
  sample: 93.4
reason:
  description: One word for the cause; see the notes.
  returned: failure
  type: str
  sample: no_keeper
"""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.peer import refuse
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicoogle.keeper import reindex
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicoogle.web import (
    build_entrance,
    entrance_argument_spec,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import reporting_failures
from ansible_collections.openpacs.dicoogle.plugins.module_utils._progress import progress_writer


def main() -> None:
    """Have a folder indexed again, and report on it."""
    spec = {
        **entrance_argument_spec(),
        "path": {"type": "str"},
        "wait_timeout": {"type": "float", "default": 86400.0},
        "progress_file": {"type": "path"},
    }
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    params = module.params
    show = progress_writer(params["progress_file"])
    with reporting_failures(module):
        entrance = build_entrance(params)
        if not params["wait_timeout"] >= 0:  # true for what is no number, too
            refuse("wait_timeout", params["wait_timeout"], "Give seconds from 0 on.")
        if module.check_mode:
            module.exit_json(changed=True)
        done = reindex(
            entrance,
            params["path"],
            params["wait_timeout"],
            lambda line: show(f"{time.strftime('%H:%M:%S')} {line}"),
        )
        del done["state"]
        module.exit_json(changed=done["indexed"] > 0, **done)


if __name__ == "__main__":
    main()
