# Writes a node's config into its volumes; reloads the node where it runs and a reload is enough.
#
# stdin            base64 of a tar archive, as packNodeFiles() makes it
# CONTAINER        name of the node's container
# CONFIG_VOLUME    name of the volume for /etc/nats
# DATA_VOLUME      name of the volume for /data
# IMAGE            image of the node, already present
# OWNER            label that marks what belongs to this stack
# RESTART_DIGEST   stays the same as long as a reload will do
#
# A container that is created and never started serves as the door to the volumes: the image has no shell.
set -eu

writer="$CONTAINER-writer"
config=/etc/nats/nats.conf

fail() {
  echo "$CONTAINER: $1" >&2
  exit 1
}

create_writer() {
  docker create --name "$writer" --label "$OWNER" --network none \
    --volume "$CONFIG_VOLUME:/etc/nats" --volume "$DATA_VOLUME:/data" "$IMAGE" >/dev/null
}

remove_writer() {
  docker rm --force "$writer" >/dev/null 2>&1 || true
}

# What an interrupted run left behind has the same name.
create_writer 2>/dev/null || { remove_writer; create_writer; }
trap remove_writer EXIT

archive=$(cat)
printf %s "$archive" | base64 -d | docker cp --archive - "$writer:/" >/dev/null

running=$(docker inspect --format \
  '{{.State.Running}} {{index .Config.Labels "nats-regions.restart-digest"}}' \
  "$CONTAINER" 2>/dev/null || true)
[ "$running" = "true $RESTART_DIGEST" ] || exit 0

since=$(date +%s)
docker exec "$CONTAINER" /nats-server -t -c "$config" >/dev/null 2>"/dev/null" ||
  fail "nats-server refuses the new config: $(docker exec "$CONTAINER" /nats-server -t -c "$config" 2>&1)"
docker kill --signal HUP "$CONTAINER" >/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  log=$(docker logs --since "$since" "$CONTAINER" 2>&1)
  case $log in
  *"Failed to reload"*) fail "$(printf '%s\n' "$log" | grep 'Failed to reload')" ;;
  *"Reloaded server configuration"* | *"Reloaded: "*) exit 0 ;;
  esac
  sleep 0.1
done
fail "didn't confirm the reload within 2 s; docker logs $CONTAINER says why"
