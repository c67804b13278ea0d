import { chown, mkdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { USER } from "./ssh.ts";

const USER_ID = 1000;
const DOCKER_GROUP = 999;
const SSHD_ID = 998;

/** All that a machine keeps when it is off. */
export interface Disk {
  readonly folder: string;
  /** File of the key of its sshd. */
  readonly hostKey: string;
  readonly engineLog: string;
}

/** PEM files by which an engine knows those that it lets in by tcp, and they know it. */
export interface EngineTls {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

export const TCP_PORT = 2376;

const PASSWD = `root:x:0:0:root:/root:/bin/sh
sshd:x:${SSHD_ID}:65534::/run/sshd:/usr/sbin/nologin
${USER}:x:${USER_ID}:${USER_ID}::/home/${USER}:/bin/sh
`;
/** `*` is no password that anybody has, where `!` would lock the account for keys, too. */
const SHADOW = `root:*:::::::
sshd:*:::::::
${USER}:*:::::::
`;
const GROUP = `root:x:0:
docker:x:${DOCKER_GROUP}:${USER}
${USER}:x:${USER_ID}:
nogroup:x:65534:
`;
const SSHD_CONFIG = `HostKey /etc/ssh/host_key
AuthorizedKeysFile /etc/ssh/authorized_keys
AllowUsers ${USER}
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
PidFile /run/sshd.pid
`;

const BY_TCP = {
  hosts: ["unix:///var/run/docker.sock", `tcp://0.0.0.0:${TCP_PORT}`],
  tlsverify: true,
  tlscacert: "/etc/docker/ca.pem",
  tlscert: "/etc/docker/certificate.pem",
  tlskey: "/etc/docker/key.pem",
};

/**
 * Makes the disk of a machine that was never on, and the empty folders that its process 1 needs. `etc` has only what
 * differs from this system's; `docker` and `ssh` are whole folders of `/etc`.
 */
export async function makeDisk(
  folder: string,
  machine: {
    readonly name: string;
    readonly cgroup: string;
    readonly authorizedKey: string;
    readonly tls?: EngineTls;
    readonly hasIpv6Containers: boolean;
  },
): Promise<Disk> {
  const disk = path.join(folder, "disk");
  const etc = ["etc/docker", "etc/ssh", "etc-work", "docker", "ssh"];
  for (const place of [...etc, "var/lib/docker", "var/log", `home/${USER}`, "root"]) {
    await mkdir(path.join(disk, place), { recursive: true });
  }
  await symlink("/run", path.join(disk, "var/run"));
  await mkdir(path.join(folder, "root"));
  await chown(path.join(disk, "home", USER), USER_ID, USER_ID);
  const write = (name: string, text: string, mode = 0o644) =>
    writeFile(path.join(disk, name), text, { mode });
  await write("etc/hostname", `${machine.name}\n`);
  await write("etc/passwd", PASSWD);
  await write("etc/group", GROUP);
  await write("etc/shadow", SHADOW, 0o600);
  await write("ssh/sshd_config", SSHD_CONFIG);
  await write("ssh/authorized_keys", machine.authorizedKey);
  const { tls, cgroup } = machine;
  for (const [name, text] of Object.entries(tls ?? {})) {
    await write(`docker/${name}.pem`, text, 0o600);
  }
  const config = {
    "cgroup-parent": cgroup,
    ...(tls ? BY_TCP : {}),
    // What Docker does by itself since 27.
    ...(machine.hasIpv6Containers ? { experimental: true, ip6tables: true } : {}),
  };
  await write("docker/daemon.json", JSON.stringify(config));
  return {
    folder: disk,
    hostKey: path.join(disk, "ssh/host_key"),
    engineLog: path.join(disk, "var/log/dockerd.log"),
  };
}
