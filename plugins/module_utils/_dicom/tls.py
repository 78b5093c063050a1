# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""TLS towards a peer, and what its failures mean."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

from .errors import DicomError, Reason
from .packages import x509
from .peer import Endpoint, Tls

ALERT_WAIT = 2.0  # seconds that a peer gets to object to our certificate after a TLS 1.3 handshake

# Reasons of OpenSSL, as in SSLError.reason. An alert was sent by the peer.
_FAILURES = {
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": Reason.CERTIFICATE_MISSING,
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": Reason.CERTIFICATE_EXPIRED,
    "TLSV1_ALERT_UNKNOWN_CA": Reason.CERTIFICATE_UNKNOWN_CA,
    "TLSV1_ALERT_PROTOCOL_VERSION": Reason.TLS_VERSION,
    "UNSUPPORTED_PROTOCOL": Reason.TLS_VERSION,
    "WRONG_SSL_VERSION": Reason.TLS_VERSION,
    "WRONG_VERSION_NUMBER": Reason.TLS_NOT_OFFERED,
    "RECORD_LAYER_FAILURE": Reason.TLS_NOT_OFFERED,
    "HTTP_REQUEST": Reason.TLS_NOT_OFFERED,
}
_CONNECTION = {  # the first that fits
    socket.gaierror: Reason.UNKNOWN_HOST,
    TimeoutError: Reason.TIMEOUT,
    ConnectionRefusedError: Reason.REFUSED,
    ConnectionError: Reason.CLOSED,
    OSError: Reason.UNREACHABLE,
}
_REJECTIONS = {
    "SSLV3_ALERT_BAD_CERTIFICATE",
    "SSLV3_ALERT_CERTIFICATE_REVOKED",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
    "SSLV3_ALERT_HANDSHAKE_FAILURE",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
    "TLSV1_ALERT_ACCESS_DENIED",
    "TLSV1_ALERT_DECRYPT_ERROR",
}
# X509_V_ERR_ numbers of OpenSSL, as in SSLCertVerificationError.verify_code.
_VERIFICATION = {
    2: Reason.PEER_CERTIFICATE_UNKNOWN_CA,
    10: Reason.PEER_CERTIFICATE_EXPIRED,
    18: Reason.PEER_CERTIFICATE_UNKNOWN_CA,
    19: Reason.PEER_CERTIFICATE_UNKNOWN_CA,
    20: Reason.PEER_CERTIFICATE_UNKNOWN_CA,
    21: Reason.PEER_CERTIFICATE_UNKNOWN_CA,
    62: Reason.PEER_CERTIFICATE_NAME,
    64: Reason.PEER_CERTIFICATE_NAME,
}
_MEANING = {
    Reason.UNKNOWN_HOST: "the host name is not known. Correct host, or give its address",
    Reason.TIMEOUT: "no connection came about within {seconds:g} s. Let firewalls and security "
    "groups pass it, or correct host",
    Reason.REFUSED: "nothing listens on this port. Correct port, or start the service, or the "
    "tunnel in front of it",
    Reason.CLOSED: "the peer closed the connection. Look into its log",
    Reason.UNREACHABLE: "the host cannot be reached. Correct host, or see to the way there",
    Reason.TLS_REQUIRED: "the peer speaks only TLS on this port. Set tls",
    Reason.TLS_NOT_OFFERED: "the peer does not speak TLS on this port. Leave out tls, "
    "or use the port that does",
    Reason.TLS_VERSION: "the peer offers no TLS version from 1.2 on. Update it, or put a tunnel "
    "in front of it",
    Reason.TLS_FAILED: "the TLS handshake did not succeed",
    Reason.CERTIFICATE_MISSING: "the peer requires a client certificate. Set tls.certificate "
    "and tls.private_key",
    Reason.CERTIFICATE_EXPIRED: "the peer says that {certificate} has expired. Renew it",
    Reason.CERTIFICATE_UNKNOWN_CA: "the peer does not know the CA that signed {certificate}. Use "
    "one that its CA has signed",
    Reason.CERTIFICATE_REJECTED: "the peer does not accept {certificate}. Use one that its CA has "
    "signed, that has not expired and whose name it allows",
    Reason.PEER_CERTIFICATE_EXPIRED: "the certificate of the peer has expired. Renew it there",
    Reason.PEER_CERTIFICATE_UNKNOWN_CA: "the certificate of the peer is signed by none of the CAs "
    "in {ca}. Set tls.ca_certificate to the one that did",
    Reason.PEER_CERTIFICATE_NAME: "the certificate of the peer does not hold the name "
    "{server_name}. Set tls.server_name to a name that it holds",
    Reason.PEER_CERTIFICATE_INVALID: "the certificate of the peer is not valid",
}


def build_context(tls: Tls) -> ssl.SSLContext:
    """Return a context that verifies the peer and its name, from TLS 1.2 on.

    Raises DicomError: a file is missing or not what it should be.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if tls.ca_certificate:
            context.load_verify_locations(tls.ca_certificate)
        else:
            context.load_default_certs()
    except OSError as error:
        raise _bad_file("tls.ca_certificate", tls.ca_certificate, error) from error
    try:
        if tls.certificate:
            # Without a password of its own, OpenSSL would ask for one on the terminal.
            context.load_cert_chain(tls.certificate, tls.private_key, password=lambda: "")
    except OSError as error:
        files = f"{tls.certificate} and {tls.private_key}"
        raise _bad_file("tls.certificate and tls.private_key", files, error) from error
    return context


def connect(peer: Endpoint) -> socket.socket:
    """Return a connection to the peer, over TLS where it has any.

    Raises OSError: it cannot be had; an `ssl.SSLError` for TLS.
    """
    plain = socket.create_connection((peer.host, peer.port), peer.connect_timeout)
    if not peer.tls:
        return plain
    try:
        return build_context(peer.tls).wrap_socket(plain, server_hostname=peer.tls.server_name)
    except BaseException:
        plain.close()
        raise


def diagnose(peer: Endpoint) -> DicomError | None:
    """Return why the peer cannot be talked to, or None when the connection itself is well.

    Connects once more, as the error of the first time is lost in the library.
    """
    try:
        with connect(peer) as connection:
            if peer.tls:
                return _await_objection(peer, connection)
    except OSError as error:
        return explain(peer, error)
    if _speaks_tls(peer):
        return _error(peer, Reason.TLS_REQUIRED, _MEANING[Reason.TLS_REQUIRED])
    return None


def _await_objection(peer: Endpoint, connection: socket.socket) -> DicomError | None:
    # With TLS 1.3 the client's handshake ends before the server has looked at its certificate.
    connection.settimeout(ALERT_WAIT)
    try:
        if connection.recv(1):
            return None
    except TimeoutError:
        return None
    except OSError as error:
        if isinstance(error, ssl.SSLError) and error.reason in {*_FAILURES, *_REJECTIONS}:
            return explain(peer, error)
    return _error(
        peer,
        Reason.CLOSED,
        "the peer closed the connection after the TLS handshake, without saying why. Either the "
        f"service behind it is down, or {_meaning(peer, _rejection(peer))}",
    )


def _speaks_tls(peer: Endpoint) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # only asks for the protocol; nothing is sent
    try:
        with (
            socket.create_connection((peer.host, peer.port), peer.connect_timeout) as plain,
            context.wrap_socket(plain),
        ):
            return True
    except ssl.SSLError as error:
        return "ALERT" in (error.reason or "")
    except OSError:
        return False


def explain(peer: Endpoint, error: OSError) -> DicomError:
    """Return what a failed connection means."""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = _VERIFICATION.get(error.verify_code, Reason.PEER_CERTIFICATE_INVALID)
        return refusal(peer, reason, error.verify_message)
    if isinstance(error, ssl.SSLError):
        name = error.reason or ""
        reason = _rejection(peer) if name in _REJECTIONS else _FAILURES.get(name, Reason.TLS_FAILED)
        return refusal(peer, reason, name or str(error))
    kinds = (kind for kind in _CONNECTION if isinstance(error, kind))
    return refusal(peer, _CONNECTION[next(kinds)], error.strerror or str(error))


def refusal(peer: Endpoint, reason: Reason, said: str) -> DicomError:
    """Return the error for a reason that has a meaning, with what was said about it."""
    return _error(peer, reason, f"{_meaning(peer, reason)} ({said})")


def _rejection(peer: Endpoint) -> Reason:
    # TLS 1.2 has no alert of its own for a missing certificate.
    given = peer.tls and peer.tls.certificate
    return Reason.CERTIFICATE_REJECTED if given else Reason.CERTIFICATE_MISSING


def _meaning(peer: Endpoint, reason: Reason) -> str:
    tls = peer.tls or Tls(peer.host)
    return _MEANING[reason].format(
        certificate=f"the client certificate {_subject(tls.certificate)}",
        ca=tls.ca_certificate or "the system's store",
        server_name=tls.server_name,
        seconds=peer.connect_timeout,
    )


def _subject(path: str | None) -> str:
    if not (x509 and path):
        return str(path)
    certificate = x509.load_pem_x509_certificate(Path(path).read_bytes())
    return f"{certificate.subject.rfc4514_string()} ({path})"


def _error(peer: Endpoint, reason: Reason, sentence: str) -> DicomError:
    return DicomError(reason, f"{peer}: {sentence}.")


def _bad_file(option: str, path: str | None, error: OSError) -> DicomError:
    cause = error.strerror or error
    return DicomError(
        Reason.INVALID_INPUT, f"{option}: cannot use {path} as PEM, without a passphrase: {cause}"
    )
