# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Send images side by side, as the devices of a hospital do."""

from __future__ import annotations

import threading
import time

from pydicom import Dataset
from pynetdicom import AE

SENDERS = 4


class Senders:
    """Send images of one kind to an archive's plain port until all are sent or it is gone."""

    def __init__(self, port: int, images: list[Dataset], title: str = "DICOOGLE-STORAGE") -> None:
        self.acknowledged: list[Dataset] = []
        self._port = port
        self._title = title
        parts = [images[each::SENDERS] for each in range(SENDERS)]
        self._threads = [threading.Thread(target=self._send, args=(part,)) for part in parts]
        for thread in self._threads:
            thread.start()

    def _send(self, images: list[Dataset]) -> None:
        entity = AE("SENDER")
        entity.add_requested_context(
            images[0].SOPClassUID, str(images[0].file_meta.TransferSyntaxUID)
        )
        association = entity.associate("127.0.0.1", self._port, ae_title=self._title)
        for image in images:
            if not association.is_established:
                return
            try:
                status = association.send_c_store(image)
            except (RuntimeError, ValueError):
                return
            if getattr(status, "Status", None) == 0:
                self.acknowledged.append(image)
        association.release()

    def await_acknowledged(self, count: int, seconds: float = 60.0) -> None:
        """Return when that many images were acknowledged."""
        deadline = time.monotonic() + seconds
        while len(self.acknowledged) < count:
            assert time.monotonic() < deadline, f"{len(self.acknowledged)} of {count} images"
            time.sleep(0.05)

    def join(self) -> list[Dataset]:
        """Wait for the senders; what was acknowledged."""
        for thread in self._threads:
            thread.join(120)
        return self.acknowledged
