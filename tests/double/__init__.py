# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A double of Dicoogle 3.5.1 for tests, which does what the real one was measured to do.

It reads the real one's configuration from its working directory, is started with the same command
line (see java), listens where the real one would, keeps its files and its index where the real one
would, and has its faults. It is plain Python: pydicom, bcrypt and the standard library.

How slow it is can be set by the environment, in seconds: DOUBLE_START_SECONDS until it listens,
DOUBLE_STORE_SECONDS for each file, half of them in the middle of writing it, DOUBLE_INDEX_SECONDS
for each image that it indexes, DOUBLE_WATCH_SECONDS between two looks at the watch folder (30, as
the real one).

It leaves out: fuzzy terms (Doe~) and the order by relevance of a search, pictures of compressed
images, /roi, /ml, /dictags, the XML of /legacy, presets and exports, and the change of single
settings of the index.
"""
