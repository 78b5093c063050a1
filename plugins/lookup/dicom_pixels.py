# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lookup that tells whether two DICOM files show the same picture."""

from __future__ import annotations

DOCUMENTATION = r"""
name: dicom_pixels
short_description: SHA-256 of the pixel data of DICOM files
version_added: 1.0.0
author:
  - openpacs contributors (@openpacs)
description:
  - Returns the SHA-256 of each file's pixel data, as encoded in the file.
  - A PACS may change other attributes of an image on its way; these do not count.
requirements:
  - pydicom
options:
  _terms:
    description: Paths of DICOM files on the control node.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: The image came back as it was sent
  ansible.builtin.assert:
    that: >-
      lookup('openpacs.dicoogle.dicom_pixels', 'sent.dcm')
      == lookup('openpacs.dicoogle.dicom_pixels', 'received.dcm')
"""

RETURN = r"""
_raw:
  description: One hexadecimal digest for each file.
  type: list
  elements: str
"""

import hashlib
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

try:
    from pydicom import dcmread
except ImportError as error:
    MISSING: ImportError | None = error
else:
    MISSING = None


class LookupModule(LookupBase):
    """Return the digest of each file's pixel data."""

    def run(self, terms: list[str], variables: Any = None, **kwargs: Any) -> list[str]:
        if MISSING:
            raise AnsibleLookupError("pydicom is needed: pip install pydicom") from MISSING
        return [digest(path) for path in terms]


def digest(path: str) -> str:
    """Return the SHA-256 of the pixel data of a file.

    Raises AnsibleLookupError: it cannot be read, or is no image.
    """
    try:
        return hashlib.sha256(dcmread(path)["PixelData"].value).hexdigest()
    except KeyError as error:
        raise AnsibleLookupError(f"{path} has no pixel data.") from error
    except Exception as error:  # pydicom sets no limit to what a broken file raises
        raise AnsibleLookupError(f"{path} cannot be read as DICOM: {error}.") from error
