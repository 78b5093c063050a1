#!/bin/sh
# Read by the entry point: Dicoogle's settings, checked, and its configuration files as text.
# DICOOGLE_HOME is where the image keeps Dicoogle, DICOOGLE_DATA where the volumes are mounted.

# The line of versions.txt that this Dicoogle has: its number, and what only some versions know.
version=$(cat "$DICOOGLE_HOME/version")

knows() {
  case " $version " in
    *" $1 "*) ;;
    *) return 1 ;;
  esac
}

refuse() {
  echo "dicoogle: $*" >&2
  exit 64
}

# matches VALUE PATTERN: the whole value, which is one line, matches the extended pattern.
matches() {
  [ "$(printf %s "$1" | wc -l)" -eq 0 ] && printf %s "$1" | LC_ALL=C grep -Eqx -- "$2"
}

# items LIST: the items of a comma list, one a line.
items() {
  printf '%s\n' "$1" | tr ',' '\n' | sed -e 's/^ *//' -e 's/ *$//' -e '/^$/d'
}

xml() {
  printf %s "$1" | sed -e 's/&/\&amp;/g' -e 's/</\&lt;/g' -e 's/>/\&gt;/g' -e 's/"/\&quot;/g'
}

# ---- Checks: each takes the setting's name and a value ----

check_ae_title() {
  matches "$2" '[]!-[^-~]([] -[^-~]{0,14}[]!-[^-~])?' \
    || refuse "$1: '$2' is not a valid AE title: 1 to 16 ASCII characters, no backslash."
}

check_port() {
  { matches "$2" '[1-9][0-9]{0,4}' && [ "$2" -le 65535 ]; } \
    || refuse "$1: '$2' is not a valid port: a number from 1 to 65535."
}

check_host() {
  matches "$2" '[A-Za-z0-9]([A-Za-z0-9.-]{0,252})' \
    || refuse "$1: '$2' is neither an IPv4 address nor a host name."
}

check_uid() {
  { matches "$2" '(0|[1-9][0-9]*)([.](0|[1-9][0-9]*))+' && [ ${#2} -le 64 ]; } \
    || refuse "$1: '$2' is not a valid UID: at most 64 digits and dots, no leading zeros."
}

check_import_directory() {
  images=$DICOOGLE_DATA/images
  { [ "${2#"$images"/}" != "$2" ] && matches "${2#"$images"}" '(/[^/]*[^/.][^/]*)+'; } \
    || refuse "$1: '$2' is not a folder inside $images."
}

check_move_destination() {
  matches "$2" '.+=[^=]+:[0-9]+' || refuse "$1: '$2' is not of the form AET=host:port."
  check_ae_title "$1" "${2%=*}"
  address=${2##*=}
  check_host "$1" "${address%:*}"
  check_port "$1" "${address##*:}"
}

# each CHECK SETTING LIST
each() {
  items "$3" | while IFS= read -r item; do "$1" "$2" "$item"; done
}

check_settings() {
  check_ae_title DICOOGLE_AE_TITLE "$DICOOGLE_AE_TITLE"
  each check_ae_title DICOOGLE_ALLOWED_AE_TITLES "$DICOOGLE_ALLOWED_AE_TITLES"
  [ "$(items "$DICOOGLE_ALLOWED_AE_TITLES" | wc -l)" -le 1 ] \
    || refuse "DICOOGLE_ALLOWED_AE_TITLES: Dicoogle ${version%% *} reads only the last of several" \
      "allowed AE titles and would turn the others away. Name one, or none to allow all, and let" \
      "the certificates decide who may connect."
  each check_move_destination DICOOGLE_MOVE_DESTINATIONS "$DICOOGLE_MOVE_DESTINATIONS"
  each check_uid DICOOGLE_SOP_CLASSES "$DICOOGLE_SOP_CLASSES"
  check_host DICOOGLE_HOST "$DICOOGLE_HOST"
  check_port DICOOGLE_WEB_PORT "$DICOOGLE_WEB_PORT"
  check_port DICOOGLE_STORAGE_PORT "$DICOOGLE_STORAGE_PORT"
  check_port DICOOGLE_QUERY_PORT "$DICOOGLE_QUERY_PORT"
  check_port KEEPER_PORT "$KEEPER_PORT"
  [ "$(printf '%s\n' "$DICOOGLE_WEB_PORT" "$DICOOGLE_STORAGE_PORT" "$DICOOGLE_QUERY_PORT" \
    "$KEEPER_PORT" | sort -u | wc -l)" -eq 4 ] \
    || refuse "DICOOGLE_WEB_PORT, DICOOGLE_STORAGE_PORT, DICOOGLE_QUERY_PORT and KEEPER_PORT" \
      "must differ."
  [ -z "$KEEPER_METRICS_NAMESPACE" ] \
    || matches "$KEEPER_METRICS_NAMESPACE" '[A-Za-z0-9._/#-]{1,255}' \
    || refuse "KEEPER_METRICS_NAMESPACE: '$KEEPER_METRICS_NAMESPACE' is not a valid namespace of metrics:" \
      "1 to 255 letters, digits and . _ / # -."
  [ -z "$DICOOGLE_IMPORT_DIRECTORY" ] \
    || check_import_directory DICOOGLE_IMPORT_DIRECTORY "$DICOOGLE_IMPORT_DIRECTORY"
  matches "$DICOOGLE_ADMIN_USER" '[A-Za-z0-9][A-Za-z0-9._@-]{0,63}' \
    || refuse "DICOOGLE_ADMIN_USER: '$DICOOGLE_ADMIN_USER' is not a valid user name:" \
      "1 to 64 letters, digits and . _ @ -."
  matches "${DICOOGLE_ADMIN_PASSWORD_HASH-}" '[$]2[aby][$][0-9]{2}[$][./A-Za-z0-9]{53}' \
    || refuse "DICOOGLE_ADMIN_PASSWORD_HASH must hold a bcrypt hash (\$2b\$...)."
}

check_directories() {
  for directory; do
    { [ -d "$directory" ] && [ -w "$directory" ]; } \
      || refuse "$directory is not a directory that user $(id -u) may write: mount a volume there."
  done
}

# ---- Files ----

accepted_sop_classes() {
  if [ -n "$DICOOGLE_SOP_CLASSES" ]; then
    items "$DICOOGLE_SOP_CLASSES"
  else
    cut -d ' ' -f 1 "$DICOOGLE_HOME/sop-classes.txt"
  fi
}

# Without the element, every calling AE title is allowed.
allowed_aetitles() {
  items "$DICOOGLE_ALLOWED_AE_TITLES" | while IFS= read -r title; do
    echo "    <allowed-aetitles>$(xml "$title")</allowed-aetitles>"
  done
}

default_ts() {
  sed 's|\([^ ]*\) .*|      <ts>\1</ts>|' "$DICOOGLE_HOME/transfer-syntaxes.txt"
}

# Dicoogle takes a syntax that it was not built with only if it is declared here, too. What is left
# out says that it is encapsulated, explicit, little-endian and not deflated, which all of these are.
additional_transfer_syntaxes() {
  awk '$3 == "additional" {
    printf "      <additional-transfer-syntax uid=\"%s\" alias=\"%s\"/>\n", $1, $2
  }' "$DICOOGLE_HOME/transfer-syntaxes.txt"
}

sop_classes() {
  accepted_sop_classes | sed 's|.*|      <sop-class><uid>&</uid></sop-class>|'
}

# Dicoogle accepts a class that it was not built with only if it is declared here, with a name.
additional_sop_classes() {
  accepted_sop_classes | awk -v names="$DICOOGLE_HOME/sop-classes.txt" '
    BEGIN { while ((getline line < names) > 0) { split(line, word, " "); name[word[1]] = word[2] } }
    { printf "      <additional-sop-class uid=\"%s\" alias=\"%s\"/>\n", $1, $1 in name ? name[$1] : $1 }'
}

move_destination_elements() {
  items "$DICOOGLE_MOVE_DESTINATIONS" | while IFS= read -r item; do
    address=${item##*=}
    printf '      <move-destination aetitle="%s" address="%s" port="%s" public="false" description=""/>\n' \
      "$(xml "${item%=*}")" "${address%:*}" "${address##*:}"
  done
}

# Dicoogle wants the element even without destinations, and then without as much as a blank in it.
move_destinations() {
  if [ -n "$(items "$DICOOGLE_MOVE_DESTINATIONS")" ]; then
    echo '    <move-destinations>'
    move_destination_elements
    echo '    </move-destinations>'
  else
    echo '    <move-destinations/>'
  fi
}

# newer ELEMENT TEXT: the element, for versions that know it. An unknown one stops Dicoogle.
newer() {
  ! knows "$1" || echo "<$1>$2</$1>"
}

# Dicoogle's own watching is off: it takes half-written files and never looks at what is there when
# it starts. The keeper imports instead. The timeouts are milliseconds.
server_xml() {
  hostname=''
  ! knows hostname || hostname=" hostname=\"$DICOOGLE_HOST\""
  cat << END
<?xml version="1.0" encoding="UTF-8"?>
<config>
  <web-server autostart="true" port="$DICOOGLE_WEB_PORT"$hostname/>
  <archive>
    <save-thumbnails>false</save-thumbnails>
    <thumbnail-size>64</thumbnail-size>
    <indexer-effort>100</indexer-effort>
    <dim-providers><dim-provider>lucene</dim-provider></dim-providers>
    <default-storages><default-storage>file-storage</default-storage></default-storages>
    <enable-watch-directory>false</enable-watch-directory>
    <encrypt-users-file>false</encrypt-users-file>
    $(newer use-iio-registry false)
    <main-directory>$(xml "$DICOOGLE_DATA")/images</main-directory>
    <node-name>$(xml "$DICOOGLE_AE_TITLE")</node-name>
    <call-shutdown>true</call-shutdown>
  </archive>
  <dicom-services>
    <aetitle>$(xml "$DICOOGLE_AE_TITLE")</aetitle>
$(allowed_aetitles)
    <allowed-local-interfaces>any</allowed-local-interfaces>
    <allowed-hostnames>any</allowed-hostnames>
    <default-ts>
$(default_ts)
    </default-ts>
    <sop-classes>
$(sop_classes)
    </sop-classes>
    <additional-sop-classes>
$(additional_sop_classes)
    </additional-sop-classes>
    <additional-transfer-syntaxes>
$(additional_transfer_syntaxes)
    </additional-transfer-syntaxes>
$(move_destinations)
    <storage autostart="true" port="$DICOOGLE_STORAGE_PORT"$hostname>$(newer save-ae-titles true)</storage>
    <query-retrieve autostart="true" port="$DICOOGLE_QUERY_PORT"$hostname>
      <rsp-delay>0</rsp-delay>
      <dimse-rsp-timeout>300000</dimse-rsp-timeout>
      <idle-timeout>300000</idle-timeout>
      <accept-timeout>10000</accept-timeout>
      <connection-timeout>10000</connection-timeout>
      <transfer-capabilities>1.2.840.10008.1.2</transfer-capabilities>
      <transfer-capabilities>1.2.840.10008.1.2.1</transfer-capabilities>
      <transfer-capabilities>1.2.840.10008.1.2.2</transfer-capabilities>
      <sop-class>1.2.840.10008.5.1.4.1.2.2.1</sop-class>
      <sop-class>1.2.840.10008.5.1.4.1.2.1.1</sop-class>
      <max-client-assocs>20</max-client-assocs>
      <max-pdu-length-receive>16364</max-pdu-length-receive>
      <max-pdu-length-send>16364</max-pdu-length-send>
    </query-retrieve>
  </dicom-services>
</config>
END
}

# The plugin appends "indexed" to the path as it stands, so it must end in a slash.
luceneset_xml() {
  cat << END
<?xml version="1.0" encoding="UTF-8"?>
<configuration>
  <indexer>
    <enabled>true</enabled>
    <maxRAMBufferSize>255</maxRAMBufferSize>
    <path>$(xml "$DICOOGLE_DATA")/index/</path>
  </indexer>
</configuration>
END
}

file_storage_xml() {
  cat << END
<?xml version="1.0" encoding="UTF-8"?>
<configuration>
  <root-dir>$(xml "$DICOOGLE_DATA")/images</root-dir>
  <use-relative-path>false</use-relative-path>
  <scheme>file</scheme>
  <enabled>true</enabled>
</configuration>
END
}

# other_users FILE: the elements of everyone but the administrator.
other_users() {
  [ ! -e "$1" ] || tr '\n' ' ' < "$1" | tr '<' '\n' \
    | sed -n 's|^user \([^>]*[^>/]\)/*> *$|  <user \1/>|p' \
    | grep -vF " username=\"$DICOOGLE_ADMIN_USER\"" || [ $? -eq 1 ]
}

# users_xml FILE: the users in FILE, and the administrator with the password of the secret.
users_xml() {
  cat << END
<?xml version="1.0" encoding="UTF-8"?>
<Users>
  <user username="$DICOOGLE_ADMIN_USER" hash="$DICOOGLE_ADMIN_PASSWORD_HASH" admin="true"/>
$(other_users "$1")
</Users>
END
}
