# Writes a node's config into its volumes; reloads the node where it runs and a reload is enough.
#
#   configure-node.sh          for a node that is yet to be made
#   configure-node.sh --test   has nats-server check the config before anything is written
#
# stdin            base64 of a tar archive, as packNodeFiles() makes it
# CONTAINER        name of the node's container
# CONFIG_VOLUME    name of the volume for /etc/nats
# DATA_VOLUME      name of the volume for /data
# IMAGE            image of the node, already present
# OWNER            label that marks what belongs to this stack
# RESTART_DIGEST   stays the same as long as a reload will do
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

# A container that holds the files: the image has no shell to write them with.
create_writer() {
  docker create --name "$writer" --label "$OWNER" --network none "$@" >/dev/null
}

# What an interrupted run left behind has the same name.
prepare_writer() {
  create_writer "$@" 2>/dev/null || {
    remove_writer
    create_writer "$@"
  }
  printf %s "$archive" | base64 -d | docker cp --archive - "$writer:/" >/dev/null
}

trap remove_writer EXIT

if [ "${1:-}" = --test ]; then
  prepare_writer "$IMAGE" -t -c /etc/nats/nats.conf
  said=$(docker start --attach "$writer" 2>&1) || fail "nats-server refuses the new config: $said"
  remove_writer
fi

prepare_writer --volume "$CONFIG_VOLUME:/etc/nats" --volume "$DATA_VOLUME:/data" "$IMAGE"

look() {
  docker inspect --format "$1" "$CONTAINER" 2>/dev/null || true
}

running=$(look '{{.State.Running}} {{index .Config.Labels "nats-regions.restart-digest"}}')
[ "$running" = "true $RESTART_DIGEST" ] || exit 0

# By the engine's clock, as the engine compares.
began=$(docker info --format '{{.SystemTime}}')
state='{{.State.Running}} {{.State.Restarting}} {{.State.StartedAt}}'
start=$(look '{{.State.StartedAt}}')
docker kill --signal HUP "$CONTAINER" >/dev/null || true
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  case $(docker logs --since "$began" "$CONTAINER" 2>&1) in
  *"Failed to reload"*) fail "the reload was refused; docker logs $CONTAINER says why" ;;
  *"Reloaded server configuration"*) exit 0 ;;
  esac
  # A server that falls has nothing to reload: it reads the new config when it starts again.
  [ "$(look "$state")" = "true false $start" ] || exit 0
  sleep 0.2
done
fail "the reload wasn't confirmed within 4 s; docker logs $CONTAINER says why"
