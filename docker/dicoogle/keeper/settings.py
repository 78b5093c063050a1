# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the container's environment says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Where Dicoogle listens and keeps its data. The entry point has checked all values."""

    data: Path
    host: str
    web_port: int
    storage_port: int
    query_port: int
    keeper_port: int
    import_folder: Path | None
    metrics_namespace: str

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Settings:
        """Return the settings of an environment."""
        folder = environment["DICOOGLE_IMPORT_DIRECTORY"]
        return cls(
            data=Path(environment["DICOOGLE_DATA"]),
            host=environment["DICOOGLE_HOST"],
            web_port=int(environment["DICOOGLE_WEB_PORT"]),
            storage_port=int(environment["DICOOGLE_STORAGE_PORT"]),
            query_port=int(environment["DICOOGLE_QUERY_PORT"]),
            keeper_port=int(environment["KEEPER_PORT"]),
            import_folder=Path(folder) if folder else None,
            metrics_namespace=environment["KEEPER_METRICS_NAMESPACE"],
        )

    @property
    def images(self) -> Path:
        """The folder of the stored images."""
        return self.data / "images"

    @property
    def journal(self) -> Path:
        """The folder of the journal and of what the keeper remembers."""
        return self.data / "index" / "journal"

    @property
    def lucene(self) -> Path:
        """The folder of Lucene's files."""
        return self.data / "index" / "indexed"

    @property
    def set_aside(self) -> Path:
        """The folder of files that are no whole images; nothing indexes what lies there."""
        return self.data / "index" / "set-aside"
