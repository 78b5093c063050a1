# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options that the DICOM modules share, beside those of `endpoint`."""

from __future__ import annotations


class ModuleDocFragment:
    """How to talk to a DICOM application entity."""

    DOCUMENTATION = r"""
options:
  called_ae_title:
    description: The application entity title of the peer, 1 to 16 characters.
    type: str
    required: true
  calling_ae_title:
    description: The application entity title to introduce ourselves with, 1 to 16 characters.
    type: str
    default: ANSIBLE
  connect_timeout:
    description:
      - How long the connection may take, and then the answer to the request for an association, in
        seconds.
    type: float
    default: 10.0
  dimse_timeout:
    description: How long each answer to an operation may take, in seconds.
    type: float
    default: 60.0
  network_timeout:
    description: How long the peer may take no data while an object is sent, in seconds.
    type: float
    default: 30.0
  max_pdu:
    description:
      - The longest protocol data unit to receive, in bytes, from V(4096) to V(1048576).
      - Longer ones are not sent either, whatever the peer allows.
    type: int
    default: 131072
requirements:
  - pynetdicom >= 3.0.0
notes:
  - The words for DICOM are V(rejected_called_ae), V(rejected_calling_ae), V(rejected_busy),
    V(rejected), V(aborted), V(unsupported_sop_class), V(unsupported_transfer_syntax),
    V(unknown_destination), V(destination_failed), V(suboperations), V(unreadable), V(not_dicom),
    V(truncated), V(invalid_uid), V(inconsistent) and V(not_sent).
  - Nothing about the content of objects is logged.
"""
