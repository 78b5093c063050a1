# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs Dicoogle, and sees to it that every image that it acknowledged can be found.

Dicoogle answers C-STORE before it indexes, and forgets what waits for its index when it ends. Its
own log lines, kept on the index volume by log4j2, are the journal of what is stored and of what is
indexed; from the difference the keeper knows what Dicoogle has still to index.
"""
