# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the facts share."""

from support.archive_fixtures import archive, archives, destinations, java, new_archive, program

__all__ = ["archive", "archives", "destinations", "java", "new_archive", "program"]
