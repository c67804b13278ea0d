# Writes a node's config into its volumes, and reloads a running node if a reload is enough. If the server refuses
# to reload although the label has the same settings, it runs with a config of other settings: it is then restarted.
#
#   configure-node.sh          only writes, for a node that doesn't exist yet
#   configure-node.sh --check  the same, and then has nats-server judge the config
#   configure-node.sh --test   has nats-server judge the new config, and restores the old one if it is refused: by the
#                              reload, or by a check before the node is restarted
#
# stdin              base64 of a tar archive, as packNodeFiles() makes it
# CONTAINER          name of the node's container
# CONFIG_VOLUME      name of the volume for /etc/nats
# DATA_VOLUME        name of the volume for /data
# IMAGE              image of the node, already present
# OWNER              label of the stack's own objects
# RESTART_SETTINGS   the settings that only a restart changes, as in the container's label
# FIRST_TERM         optional: base64 of a tar archive, see packFirstTerm(); not used if the server has a term
set -eu

writer="$CONTAINER-writer"
archive=$(cat)

fail() {
  echo "$CONTAINER: $1" >&2
  exit 1
}

remove_writer() {
  docker rm --force "$writer" >/dev/null 2>&1 || true
}

clean_up() {
  remove_writer
  rm -f "$empty"
}

# A container with the node's volumes, because the image has no shell to write files with. It is started only to check
# the config of a node that is to be restarted, in addition to the node and its memory limit. It runs as root, because
# the engine can write files of other owners only for root, with the one capability that is needed to read them. It
# doesn't get a network, because that takes half of a container's start time.
create_writer() {
  docker create --name "$writer" --label "$OWNER" --network none --cap-drop ALL --cap-add DAC_OVERRIDE \
    --security-opt no-new-privileges --volume "$CONFIG_VOLUME:/etc/nats" --volume "$DATA_VOLUME:/data" \
    "$IMAGE" -t -c /etc/nats/nats.conf >/dev/null
}

# Has nats-server check the new config, and restores the old one if it is refused. A reload needs no check, because a
# config that can't be parsed ends it before anything changes (nats-server 2.15, `Reload` in reload.go).
check() {
  said=$(docker start --attach "$writer" 2>&1) || {
    [ -z "$before" ] || unpack "$before" /etc || true
    case $said in
    *"nats-server: "*) fail "nats-server refuses the new config: $said" ;;
    *) fail "nats-server couldn't check the new config: $said" ;;
    esac
  }
}

# Unpacks base64 of a tar archive into a folder of the writer.
unpack() {
  printf %s "$1" | base64 -d | docker cp --archive - "$writer:$2" >/dev/null
}

has_term() {
  docker cp "$writer:/data/jetstream/\$SYS/_js_/_meta_/tav.idx" - >/dev/null 2>&1
}

# The files of a tar archive in base64.
list() {
  printf %s "$1" | base64 -d | tar -t
}

# Empties keys that a node no longer has: unpacking deletes nothing, and the image has no `rm`.
empty_keys() {
  had=$(list "$before")
  has=$(list "$archive")
  for key in key.pem client-key.pem; do
    case $has in *"/$key"*) continue ;; esac
    case $had in *"/$key"*) ;; *) continue ;; esac
    [ -n "$empty" ] || empty=$(mktemp)
    docker cp "$empty" "$writer:/etc/nats/$key" >/dev/null
  done
}

# Restarts the node with the config that its server refuses to reload, and exits. Returns if it can't be restarted now.
restart() {
  ca=$(printf %s "$archive" | base64 -d | tar -xO etc/nats/ca.pem 2>/dev/null || true)
  [ -z "$ca" ] || export CA="$ca"
  export CONTAINER OWNER
  ended=0
  said=$(node -e 'import("nats-regions/run")' restart 2>&1) || ended=$?
  case $ended in
  0) exit 0 ;;
  2) fail "$said" ;;
  esac
}

empty=
before=
trap clean_up EXIT

# Without the kind, the engine would look for an image, a plugin and more of that name.
found=$(docker container inspect --format \
  '{{.Path}} {{.State.Running}} {{.State.Restarting}} {{index .Config.Labels "nats-regions.restart-settings"}}' \
  "$CONTAINER" 2>/dev/null || true)
# A node that can't stay up counts as running. It loads the new config at its next start.
reloads=
case $found in *" true false $RESTART_SETTINGS") reloads=yes ;; esac

# An interrupted run leaves a writer of the same name.
create_writer 2>/dev/null || {
  remove_writer
  create_writer
}

is_checked=
[ "${1:-}" != --check ] || {
  is_checked=yes
  shift
}

if [ -z "${1:-}$found" ]; then
  unpack "$archive" /
  [ -z "$is_checked" ] || check
  # With a lower term than its own, a server could vote twice in a term.
  [ -z "${FIRST_TERM:-}" ] || has_term || unpack "$FIRST_TERM" /
  exit 0
fi

before=$(docker cp "$writer:/etc/nats" - | base64)
unpack "$archive" /
[ -n "$reloads" ] || {
  check
  empty_keys
  exit 0
}

# The engine's clock, because the engine compares with it.
began=$(docker info --format '{{.SystemTime}}')
# nats-server itself sends the signal: after `docker kill` a container counts as stopped by the user, and isn't started
# again with the engine or the machine (moby's `killWithSignal`).
said=$(docker exec "$CONTAINER" "${found%% *}" --signal reload=1 2>&1) || {
  unpack "$before" /etc
  fail "nats-server wasn't told to reload: $said"
}
# What it says before it has noticed the signal is of an earlier reload, e.g. of an update that was killed.
trapped='Trapped "hangup" signal'
# A reload compares the password of each connected client with its hash again, some 80 ms each.
deadline=$(($(date +%s) + 60))
while [ "$(date +%s)" -lt "$deadline" ]; do
  log=$(docker logs --since "$began" "$CONTAINER" 2>&1) ||
    fail "nobody says whether the new config was loaded: $log"
  case $log in
  *"$trapped"*"Failed to reload server configuration: "*)
    refusal=$(printf %s "$log" | sed -n 's/.*Failed to reload server configuration: //p' | tail -n 1)
    said=
    case $refusal in *"config reload not supported"*) restart ;; esac
    unpack "$before" /etc
    fail "nats-server keeps its old config, as it refuses to reload: $refusal${said:+; $said}"
    ;;
  *"$trapped"*"Reloaded server configuration"*)
    empty_keys
    exit 0
    ;;
  esac
  sleep 0.05
done
fail "the reload wasn't confirmed within a minute; docker logs $CONTAINER says why"
