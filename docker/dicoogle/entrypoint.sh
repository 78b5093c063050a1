#!/bin/sh
# Checks the settings, claims the index, renders Dicoogle's configuration and becomes the keeper, which runs Dicoogle.
set -eu
umask 077

run=$DICOOGLE_HOME/run
state=$DICOOGLE_DATA/confs

# shellcheck source=docker/dicoogle/configuration.sh
. "$DICOOGLE_HOME/configuration.sh"

# The Lucene plugin deletes the index's write.lock when it starts, so a second Dicoogle would ruin
# the index. This lock is kept on descriptor 9, which the keeper inherits, until it ends.
claim_index() {
  lease=$DICOOGLE_DATA/index/.writer
  exec 9>> "$lease"
  flock --nonblock 9 || refuse "the index in $DICOOGLE_DATA/index belongs to another Dicoogle" \
    "($(cat "$lease")). Two writers ruin it: stop the other one first."
  echo "$(uname -n) since $(date -u +%Y-%m-%dT%H:%M:%SZ)" > "$lease"
}

render_configuration() {
  rm -rf "$run/confs" "$run/Plugins"
  cp -r "$DICOOGLE_HOME/Plugins" "$run/Plugins"
  mkdir -p "$run/confs" "$run/Plugins/settings"
  server_xml > "$run/confs/server.xml"
  luceneset_xml > "$run/Plugins/settings/luceneset.xml"
  file_storage_xml > "$run/Plugins/settings/file-storage.xml"
}

# Dicoogle keeps its users in its working directory, and replaces the file when they change. So the
# working directory is the one that outlives the task, with links to what is rendered at each start.
prepare_working_directory() {
  cd "$state"
  ln -sfnT "$run/confs" confs
  ln -sfnT "$run/Plugins" Plugins
  if [ -s users.xml ] && ! grep -q '</Users>' users.xml; then
    cp users.xml users.xml.damaged
    echo "dicoogle: users.xml ends in the middle. What is whole in it is kept; see users.xml.damaged." >&2
  fi
  users_xml users.xml > users.xml.new
  mv users.xml.new users.xml
}

check_settings
check_directories "$run" "$state" "$DICOOGLE_DATA/images" "$DICOOGLE_DATA/index"
claim_index
render_configuration
prepare_working_directory

unset DICOOGLE_ADMIN_PASSWORD_HASH
export PYTHONPATH="$DICOOGLE_HOME" PYTHONDONTWRITEBYTECODE=1
exec python3 -P -m keeper java \
  -Djava.awt.headless=true \
  -Dfile.encoding=UTF-8 \
  -Duser.home=/tmp \
  -Dlog4j.configurationFile="$DICOOGLE_HOME/log4j2.xml" \
  -Ddicoogle.deadPluginKillSwitch=true \
  -Ddicoogle.cstore.maxScpAssociations=20 \
  -Ddicoogle.tasks.softRemoveTasks=2000 \
  -Djdk.nio.maxCachedBufferSize=1048576 \
  -XX:MaxRAMPercentage=45 \
  -XX:OnOutOfMemoryError="kill -USR1 $$" \
  -jar "$DICOOGLE_HOME/dicoogle.jar" -s
