# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The services of a deployment as our modules reach them."""

from __future__ import annotations

from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.peer import Peer, Tls
from support.deployment import Deployment, Place
from support.dicom_certificates import Holder


def peer_at(deployment: Deployment, place: Place, holder: Holder | None) -> Peer:
    """Return a service as the holder of a certificate sees it."""
    files = (str(holder.certificate), str(holder.private_key)) if holder else (None, None)
    return Peer(
        host=place.host,
        port=place.port,
        called_ae_title="DICOOGLE-STORAGE",
        calling_ae_title="TEST",
        tls=Tls(place.server_name, str(deployment.ca_bundle), *files),
        connect_timeout=5.0,
        dimse_timeout=60.0,
        network_timeout=20.0,
        max_pdu=131072,
    )
