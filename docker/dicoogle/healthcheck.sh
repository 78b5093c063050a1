#!/bin/sh
# Healthy: Dicoogle takes images, finds them, and can keep them.
set -eu
export PYTHONPATH="$DICOOGLE_HOME" PYTHONDONTWRITEBYTECODE=1
exec python3 -P -m keeper.health
