#!/usr/bin/python
# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: dicom_echo
version_added: 1.0.0
short_description: Ask whether a DICOM service answers
description:
  - Opens an association with a PACS, a modality or a viewer, sends a C-ECHO and reports how long
    the answer took.
  - Changes nothing, so it does the same in check mode.
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
- name: Ask an archive
  openpacs.dicoogle.dicom_echo:
    host: pacs.example.org
    port: 104
    called_ae_title: ARCHIVE

- name: Ask an archive behind a tunnel that wants to know who we are
  openpacs.dicoogle.dicom_echo:
    host: storage-in.pacs.example.org
    port: 16666
    called_ae_title: DICOOGLE-STORAGE
    tls:
      ca_certificate: pki/ca.pem
      certificate: pki/client.pem
      private_key: pki/client.key

- name: A client without a certificate is refused
  openpacs.dicoogle.dicom_echo:
    host: storage-in.pacs.example.org
    port: 16666
    called_ae_title: DICOOGLE-STORAGE
    tls:
      ca_certificate: pki/ca.pem
  register: unauthorized_client
  failed_when: unauthorized_client.reason | default('') != 'certificate_missing'
"""

RETURN = r"""
status:
  description: The DIMSE status.
  returned: success
  type: str
  sample: "0x0000"
status_text:
  description: The DIMSE status in words.
  returned: success
  type: str
  sample: 0x0000 Success
milliseconds:
  description: The time from connecting to the answer.
  returned: success
  type: float
  sample: 12.3
reason:
  description: One word for the cause; see the notes.
  returned: failure
  type: str
  sample: rejected_called_ae
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.echo import echo
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.packages import (
    require_library,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.peer import (
    build_peer,
    peer_argument_spec,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import reporting_failures


def main() -> None:
    """Send a C-ECHO and report the answer."""
    module = AnsibleModule(argument_spec=peer_argument_spec(), supports_check_mode=True)
    require_library(module)
    with reporting_failures(module):
        status, milliseconds = echo(build_peer(module.params))
        module.exit_json(
            changed=False,
            status=f"0x{status.code:04X}",
            status_text=status.text,
            milliseconds=milliseconds,
        )


if __name__ == "__main__":
    main()
