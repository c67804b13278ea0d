# Writes a node's config into its volumes; reloads the node where it runs and a reload is enough. Where the
# label has the same settings, and yet the server refuses to reload, its config isn't of its label: it is restarted.
#
#   configure-node.sh          writes and no more, where the node is yet to be made
#   configure-node.sh --test   has nats-server check the config, and puts the old one back where it is refused
#
# stdin              base64 of a tar archive, as packNodeFiles() makes it
# CONTAINER          name of the node's container
# CONFIG_VOLUME      name of the volume for /etc/nats
# DATA_VOLUME        name of the volume for /data
# IMAGE              image of the node, already present
# OWNER              label that marks what belongs to this stack
# RESTART_SETTINGS   stay the same, in the container's label too, as long as a reload will do
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

# A container with the volumes of the node: the image has no shell to write files with. It runs only to check the
# config, beside the node and its limit of memory: as root, as the engine writes files of other owners to no other, with
# the one capability that it takes to read them. Half of what it takes to start a container is a network of its own.
create_writer() {
  docker create --name "$writer" --label "$OWNER" --network "$network" --cap-drop ALL --cap-add DAC_OVERRIDE \
    --security-opt no-new-privileges --volume "$CONFIG_VOLUME:/etc/nats" --volume "$DATA_VOLUME:/data" \
    "$IMAGE" -t -c /etc/nats/nats.conf >/dev/null
}

# Unpacks base64 of a tar archive in a folder of the writer.
unpack() {
  printf %s "$1" | base64 -d | docker cp --archive - "$writer:$2" >/dev/null
}

# A node that has no TLS any more has no key: unpacking deletes nothing, nor does the image hold what would.
empty_key() {
  case $RESTART_SETTINGS in *'"tls":'*) return 0 ;; esac
  docker cp "$writer:/etc/nats/key.pem" - >/dev/null 2>&1 || return 0
  empty=$(mktemp)
  docker cp "$empty" "$writer:/etc/nats/key.pem" >/dev/null
}

# Gives the node the config that its server refuses to reload, and ends; returns where it can't be restarted now.
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
trap clean_up EXIT

found=$(docker inspect --format \
  '{{.Path}} {{.State.Status}} {{.State.Running}} {{index .Config.Labels "nats-regions.restart-settings"}}' \
  "$CONTAINER" 2>/dev/null || true)
reloads=
case $found in *" true $RESTART_SETTINGS") reloads=yes ;; esac
# A node that can't stay up has none to share, though it counts as running.
case $reloads$found in
yes*" running true "*) network="container:$CONTAINER" ;;
*) network=none ;;
esac

# What an interrupted run left behind has the same name.
create_writer 2>/dev/null || {
  remove_writer
  create_writer
}

if [ -z "${1:-}$found" ]; then
  unpack "$archive" /
  exit 0
fi

before=$(docker cp "$writer:/etc/nats" - | base64)
unpack "$archive" /
said=$(docker start --attach "$writer" 2>&1) || {
  unpack "$before" /etc || true
  case $said in
  *"nats-server: "*) fail "nats-server refuses the new config: $said" ;;
  *) fail "nats-server couldn't check the new config: $said" ;;
  esac
}
# nats-server names the digest that the config will have once it is loaded, from 2.11 on.
digest=$(printf %s "$said" | sed -n 's/.*(\(sha256:[0-9a-f]*\)).*/\1/p')

[ -n "$reloads" ] || {
  empty_key
  exit 0
}

# By the engine's clock, as the engine compares.
began=$(docker info --format '{{.SystemTime}}')
# By nats-server itself: whatever gets a signal by `docker kill` counts as stopped by somebody, and isn't started again
# with the engine or the machine (moby's `killWithSignal`).
docker exec "$CONTAINER" "${found%% *}" --signal reload=1 >/dev/null
# A server compares the password of each of its clients with its hash anew, some 80 ms each.
deadline=$(($(date +%s) + 60))
while [ "$(date +%s)" -lt "$deadline" ]; do
  log=$(docker logs --since "$began" "$CONTAINER" 2>&1) ||
    fail "nobody says whether the new config was taken up: $log"
  case $log in
  *"Failed to reload server configuration: "*)
    refusal=$(printf %s "$log" | sed -n 's/.*Failed to reload server configuration: //p' | tail -n 1)
    said=
    case $refusal in *"config reload not supported"*) restart ;; esac
    unpack "$before" /etc
    fail "nats-server keeps its old config, as it refuses to reload: $refusal${said:+; $said}"
    ;;
  *"Reloaded server configuration"*"$digest"*) exit 0 ;;
  esac
  sleep 0.05
done
fail "the reload wasn't confirmed within a minute; docker logs $CONTAINER says why"
