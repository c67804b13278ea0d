"""The wide-area network between machines: holds each packet for as long as its way takes, or loses it.

Usage: wan.py FILE, in the network namespace of a router that sends all packets here first, by the TUN device `wan0`.
FILE has a JSON array with an object for each direction between two places: `from` and `to` (the third octets of the
places' IPv4 addresses, the eighth of those of IPv6), `delay` (ms, one way), `loss` (0 to 1), `drop` (all packets), `dropPorts` (TCP packets to those ports).
Packets of other directions pass at once. SIGHUP reads the file again; each time that it is in force, a line is printed:
packets that came before were treated as the file was then, those on their way are dropped if the new one says so.
"""

import fcntl
import heapq
import json
import os
import random
import select
import signal
import struct
import sys
import time

# linux/if_tun.h. Packets of up to 64 KiB with checksums to be done, as they are between veths: each has a header that
# says so, which goes back unchanged.
TUNSETIFF, TUNSETOFFLOAD = 0x400454CA, 0x400454D0
IFF_TUN, IFF_NO_PI, IFF_VNET_HDR = 0x0001, 0x1000, 0x4000
TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO6 = 1, 2, 4
HEADER = 10
LARGEST = HEADER + 65_536
TCP = 6
# Of the headers: where the places' octets are, the protocol, and the length; IPv4's is in the packet.
SOURCE, DESTINATION, PROTOCOL = 14, 18, 9
SOURCE6, DESTINATION6, PROTOCOL6, LENGTH6 = 15, 31, 6, 40
# The first octets of the places' IPv6 addresses. Others are those of neighbours on one link.
PLACES6 = b"\xfd\x99"

FREE = {"delay": 0, "loss": 0, "drop": False, "dropPorts": []}
directions = {}


def read_file():
    with open(sys.argv[1], encoding="utf-8") as file:
        rows = json.load(file)
    directions.clear()
    directions.update({(row["from"], row["to"]): row for row in rows})
    print("in force", flush=True)


def open_tun():
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"wan0", flags))
    fcntl.ioctl(tun, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6)
    return tun


def is_ipv6(packet):
    return packet[HEADER] >> 4 == 6


def direction_of(packet):
    source, destination = (SOURCE6, DESTINATION6) if is_ipv6(packet) else (SOURCE, DESTINATION)
    return directions.get((packet[HEADER + source], packet[HEADER + destination]), FREE)


def is_dropped(direction, packet):
    if direction["drop"]:
        return True
    protocol = PROTOCOL6 if is_ipv6(packet) else PROTOCOL
    if not direction["dropPorts"] or packet[HEADER + protocol] != TCP:
        return False
    tcp = HEADER + (LENGTH6 if is_ipv6(packet) else (packet[HEADER] & 0x0F) * 4)
    return int.from_bytes(packet[tcp + 2 : tcp + 4], "big") in direction["dropPorts"]


def is_lost(direction):
    return direction["loss"] > 0 and random.random() < direction["loss"]


def deliver(tun, packet):
    try:
        os.write(tun, packet)
    except OSError:
        # Its destination is gone, or the kernel has no room for it: lost, as on any network.
        pass


def packets_from(tun):
    """All that are there, of the places."""
    while True:
        try:
            packet = os.read(tun, LARGEST)
        except BlockingIOError:
            return
        to = HEADER + 24
        if not is_ipv6(packet) or packet[to : to + 2] == PLACES6:
            yield packet


def signals():
    """A file that can be read when the file of directions is to be read again."""
    reading, writing = os.pipe2(os.O_NONBLOCK)
    signal.set_wakeup_fd(writing)
    signal.signal(signal.SIGHUP, lambda *_: None)
    return reading


def main():
    tun, hangups = open_tun(), signals()
    read_file()
    # By the time at which they arrive, then in the order in which they left.
    held, count = [], 0
    while True:
        # select() is exact to some 0.1 ms, where epoll would round to the next one.
        wait = max(0, held[0][0] - time.monotonic()) if held else None
        ready = select.select([tun, hangups], [], [], wait)[0]
        now = time.monotonic()
        for packet in packets_from(tun):
            direction = direction_of(packet)
            if not is_lost(direction) and not is_dropped(direction, packet):
                count += 1
                heapq.heappush(held, (now + direction["delay"] / 1000, count, packet))
        if hangups in ready:
            os.read(hangups, 64)
            read_file()
        now = time.monotonic()
        while held and held[0][0] <= now:
            packet = heapq.heappop(held)[2]
            # Once more, so that a cut stops what is on its way, too.
            if not is_dropped(direction_of(packet), packet):
                deliver(tun, packet)


main()
