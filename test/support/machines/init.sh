#!/bin/sh
# Process 1 of a machine, in namespaces of its own: makes its file system, then runs sshd and the Docker engine.
# Variables: NAME, ADDRESS, GATEWAY, ADDRESS6, GATEWAY6; DISK, the folder of all that the machine keeps; ROOT, an empty folder;
# LAYER, a folder with what the machine has in /usr besides the programs of this system.
# Prints a line as soon as the namespaces are there, and waits for one on stdin, which says that eth0 is. USR1 starts the
# engine if it was stopped.
set -eu
echo begun
read -r _

hostname "$NAME"
ip link set lo up
ip address add "$ADDRESS/24" dev eth0
ip address add "$ADDRESS6/64" dev eth0 nodad
ip link set eth0 up
ip route add default via "$GATEWAY"
ip -6 route add default via "$GATEWAY6"

# This system's root, read-only and without the mounts in it. Other engines' mounts, of which there are copies in this
# namespace, go below: as long as there is one, what they unmount is still in use.
mount --bind / "$ROOT"
mount -o remount,bind,ro "$ROOT"
mount -t overlay -o "lowerdir=$LAYER:/usr" overlay "$ROOT/usr"
mount -t overlay -o "lowerdir=/etc,upperdir=$DISK/etc,workdir=$DISK/etc-work" overlay "$ROOT/etc"
# Of these two there is nothing of this system's, of which the engine's file with its ID is one.
for place in docker ssh; do mount --bind "$DISK/$place" "$ROOT/etc/$place"; done
for place in var home root; do mount --bind "$DISK/$place" "$ROOT/$place"; done
for place in run tmp; do mount -t tmpfs -o mode=1777 tmpfs "$ROOT/$place"; done
mount --rbind /dev "$ROOT/dev"
mount -t proc proc "$ROOT/proc"
mount -t sysfs sysfs "$ROOT/sys"
mount --rbind /sys/fs/cgroup "$ROOT/sys/fs/cgroup"
mkdir "$ROOT/tmp/old"
cd "$ROOT"
pivot_root . tmp/old
cd /
umount --lazy /tmp/old
rmdir /tmp/old

mkdir -p /run/sshd /run/lock
chmod 755 /run
/usr/sbin/sshd -D -E /var/log/sshd.log &
sshd=$!

start_engine() {
  dockerd </dev/null >>/var/log/dockerd.log 2>&1 &
}
trap start_engine USR1
start_engine
while kill -0 "$sshd"; do wait || true; done
