# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The archive behind the two DICOM services and the web API."""

from __future__ import annotations

from double import log
from double.files import Files, is_file_uri
from double.index import CorruptIndexError, Index
from double.log import Log
from double.lucene import ParseError
from double.settings import Settings
from double.tasks import Indexer, Tasks


class Archive:
    """Files and their index."""

    def __init__(self, settings: Settings, log_: Log) -> None:
        self._log = log_
        self._index = Index(settings.index_folder)
        if self._index.damage:
            cause = f"org.apache.lucene.index.CorruptIndexException: {self._index.damage}"
            log_.say(log.INDEX_UNREADABLE, cause=cause)
        self.files = Files(settings.image_root, log_)
        self.tasks = Tasks(
            settings.count("dicoogle.tasks.softRemoveTasks", 50000),
            settings.count("dicoogle.tasks.numberTaskClean", 2000),
        )
        self.indexer = Indexer(self._index, self.tasks, log_)

    def search(self, query: str) -> list[dict[str, str]]:
        """Return what matches; nothing for a query that is none, or from a corrupt index."""
        try:
            found = self._index.search(query)
        except ParseError as error:
            cause = f"org.apache.lucene.queryparser.classic.ParseException: {error}"
            self._log.say(log.QUERY_UNREADABLE, cause=cause)
            return []
        except CorruptIndexError as error:
            self._log.say(log.INDEX_CLOSED, cause=str(error))
            return []
        self._log.say(log.QUERIED, 0, query)
        return found

    def remove(self, uri: str) -> None:
        """Delete a file and leave it in the index."""
        if is_file_uri(uri):
            self.files.remove(uri)
            self._log.say(log.REMOVED, uri)
        else:
            self._log.say(log.NO_PLUGIN_FOR, uri)
