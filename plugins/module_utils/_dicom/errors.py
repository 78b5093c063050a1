# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why something with DICOM did not work, as a word for programs and a sentence for people."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from .._errors import ModuleError


class Reason(StrEnum):
    """Every reason that the modules report.

    PEER_CERTIFICATE_* is about the certificate of the peer, CERTIFICATE_* about ours.
    """

    INVALID_INPUT = "invalid_input"
    # The way to the peer
    UNKNOWN_HOST = "unknown_host"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    CLOSED = "closed"
    # TLS
    TLS_REQUIRED = "tls_required"
    TLS_NOT_OFFERED = "tls_not_offered"
    TLS_VERSION = "tls_version"
    TLS_FAILED = "tls_failed"
    CERTIFICATE_MISSING = "certificate_missing"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_UNKNOWN_CA = "certificate_unknown_ca"
    CERTIFICATE_REJECTED = "certificate_rejected"
    PEER_CERTIFICATE_EXPIRED = "peer_certificate_expired"
    PEER_CERTIFICATE_UNKNOWN_CA = "peer_certificate_unknown_ca"
    PEER_CERTIFICATE_NAME = "peer_certificate_name"
    PEER_CERTIFICATE_INVALID = "peer_certificate_invalid"
    # The association
    REJECTED_CALLED_AE = "rejected_called_ae"
    REJECTED_CALLING_AE = "rejected_calling_ae"
    REJECTED_BUSY = "rejected_busy"
    REJECTED = "rejected"
    ABORTED = "aborted"
    UNSUPPORTED_SOP_CLASS = "unsupported_sop_class"
    UNSUPPORTED_TRANSFER_SYNTAX = "unsupported_transfer_syntax"
    # The service
    INVALID_RESPONSE = "invalid_response"
    STATUS = "status"
    UNKNOWN_DESTINATION = "unknown_destination"
    DESTINATION_FAILED = "destination_failed"
    SUBOPERATIONS = "suboperations"
    # A file
    UNREADABLE = "unreadable"
    NOT_DICOM = "not_dicom"
    TRUNCATED = "truncated"
    INVALID_UID = "invalid_uid"
    INCONSISTENT = "inconsistent"
    NOT_SENT = "not_sent"
    # Dicoogle's web API
    SIGN_IN = "sign_in"
    NOT_REMOVED = "not_removed"
    # Its keeper
    NO_KEEPER = "no_keeper"
    BUSY = "busy"
    NOT_DONE = "not_done"


class DicomError(ModuleError):
    """A failure with its reason, which is a key of the module's result, too."""

    def __init__(self, reason: Reason, message: str, **details: Any) -> None:
        super().__init__(message, reason=str(reason), **details)
        self.reason = reason
