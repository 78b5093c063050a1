# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AWS on 127.0.0.1: MiniStack and what the templates of this collection need beyond it."""
