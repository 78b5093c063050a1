# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""C-ECHO: whether a peer answers."""

from __future__ import annotations

import time

from .association import Context, associate
from .packages import pydicom, pynetdicom
from .peer import Peer
from .status import Status, failure, read_status

VERIFICATION = "1.2.840.10008.1.1"  # PS3.4, A.4


def echo(peer: Peer) -> tuple[Status, float]:
    """Return the peer's answer, and the milliseconds from the connection to the answer.

    Raises DicomError: it did not answer, or not with success.
    """
    context = Context(VERIFICATION, (pydicom.uid.ImplicitVRLittleEndian,))
    begin = time.monotonic()
    with associate(peer, [context]) as session:
        response = session.association.send_c_echo()
        milliseconds = (time.monotonic() - begin) * 1000
        status = read_status(response, pynetdicom.status.VERIFICATION_SERVICE_CLASS_STATUS)
        if status is None:
            raise session.lost("C-ECHO")
    if not status.succeeded:
        raise failure(peer, "C-ECHO", status)
    return status, round(milliseconds, 1)
