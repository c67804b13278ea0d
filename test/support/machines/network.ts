/** The network that machines and this process are in: everybody is connected to one router, and to nobody else. */
import { execa } from "execa";
import { Directions, type MachineName, numberOf, type Place } from "./directions.ts";
import { Wan } from "./wan.ts";

/** Addresses are 10.99.N.1 and fd99:0:0:N::1. A run has {@link SHARE} of these N; the first one is the operator's. */
const NETWORK = "10.99";
const NETWORK6 = "fd99:0:0";
const SHARE = 16;
const SHARES = 256 / SHARE;
export const MOST_MACHINES = SHARE - 1;

/** Packets of all places go to `wan.py`, and when they come back from there, to where they are for. */
const ROUTES = [
  "link set lo up",
  "link set wan0 up txqueuelen 10000",
  "route add default dev wan0 table 100",
  "rule add pref 10 iif wan0 lookup main",
  "rule add pref 20 lookup 100",
];
/** The same of IPv6; devices are there. */
const ROUTES6 = ROUTES.filter((route) => !route.startsWith("link"));
const SYSCTLS = [
  "net.ipv4.ip_forward=1",
  "net.ipv6.conf.all.forwarding=1",
  // Packets come from a machine, and once more from `wan0`.
  "net.ipv4.conf.all.rp_filter=0",
  "net.ipv4.conf.default.rp_filter=0",
];

export class Network implements AsyncDisposable {
  readonly #wan: Wan;
  readonly #share: number;
  readonly #directions = new Directions();

  private constructor(wan: Wan, share: number) {
    this.#wan = wan;
    this.#share = share;
  }

  /** Starts a router, and connects this machine to it. @param folder for its files. */
  static async start(folder: string): Promise<Network> {
    const wan = await Wan.start(folder);
    try {
      await wan.run(["sysctl", "--quiet", "--write", ...SYSCTLS]);
      await wan.run(["ip", "-batch", "-"], ROUTES.join("\n"));
      await wan.run(["ip", "-6", "-batch", "-"], ROUTES6.join("\n"));
      const network = new Network(wan, await claimShare(wan.pid));
      await network.#connectOperator();
      return network;
    } catch (error) {
      // The device that was made with it ends with it.
      await wan[Symbol.asyncDispose]();
      throw error;
    }
  }

  addressOf(place: Place): string {
    return addressOf(this.#share, numberOf(place), 1);
  }

  gatewayOf(place: Place): string {
    return addressOf(this.#share, numberOf(place), 254);
  }

  address6Of(place: Place): string {
    return address6Of(this.#share, numberOf(place), "1");
  }

  gateway6Of(place: Place): string {
    return address6Of(this.#share, numberOf(place), "fe");
  }

  /** Gives a machine its `eth0`. @param pid of a process in the machine's network namespace. */
  async connect(machine: MachineName, pid: number): Promise<void> {
    await this.#routerHas(machine, `link add ${machine} type veth peer name eth0 netns ${pid}`);
    await this.change((directions) => directions.turnOn(numberOf(machine)));
  }

  /** Nobody gets another packet of the machine, whatever its kernel still sends while its processes end. */
  async silence(machine: MachineName): Promise<void> {
    await this.change((directions) => directions.turnOff(numberOf(machine)));
  }

  /** Removes the machine's device, as the kernel does only some time after the namespace has ended. */
  async disconnect(machine: MachineName): Promise<void> {
    await this.#wan.run(["ip", "link", "delete", machine]).catch(() => {});
  }

  /** Changes what happens to packets. Resolves when that is in force. */
  change(by: (directions: Directions) => void): Promise<void> {
    by(this.#directions);
    return this.#wan.apply(this.#directions.table((number) => this.#share * SHARE + number));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await execa("ip", ["link", "delete", linkOf(this.#share)], { reject: false });
    await this.#wan[Symbol.asyncDispose]();
  }

  async #connectOperator(): Promise<void> {
    const link = linkOf(this.#share);
    const range = `${addressOf(this.#share, 0, 0)}/20`;
    const commands = [
      `link set ${link} alias "machines of process ${process.pid}"`,
      `address add ${this.addressOf("operator")}/24 dev ${link}`,
      `link set ${link} up`,
      `route add ${range} via ${this.gatewayOf("operator")}`,
      `address add ${this.address6Of("operator")}/64 dev ${link} nodad`,
      `route add ${address6Of(this.#share, 0, "")}/60 via ${this.gateway6Of("operator")}`,
    ];
    await execa("ip", ["-batch", "-"], { input: commands.join("\n") });
    await this.#routerHas("operator");
  }

  /** The router's device for a place. */
  async #routerHas(place: Place, ...before: readonly string[]): Promise<void> {
    const address = `address add ${this.gatewayOf(place)}/24 dev ${place}`;
    const address6 = `address add ${this.gateway6Of(place)}/64 dev ${place} nodad`;
    const commands = [...before, address, address6, `link set ${place} up`];
    await this.#wan.run(["ip", "-batch", "-"], commands.join("\n"));
  }
}

/**
 * Takes the first share of addresses that no other run has: the kernel gives a device's name once, and takes it back when
 * the router has ended, however that did.
 */
async function claimShare(router: number): Promise<number> {
  for (let share = 0; share < SHARES; share++) {
    const peer = ["peer", "name", "operator", "netns", `${router}`];
    const link = ["link", "add", linkOf(share), "type", "veth", ...peer];
    const { exitCode, stderr } = await execa("ip", link, { reject: false });
    if (exitCode === 0) return share;
    if (!/File exists/.test(stderr)) throw new Error(`no device nr-machines-${share}: ${stderr}`);
  }
  throw new Error(
    `${SHARES} runs have machines already; \`ip link\` says which processes: end one of them`,
  );
}

function linkOf(share: number): string {
  return `nr-machines-${share}`;
}

function addressOf(share: number, number: number, host: number): string {
  return `${NETWORK}.${share * SHARE + number}.${host}`;
}

function address6Of(share: number, number: number, host: string): string {
  return `${NETWORK6}:${(share * SHARE + number).toString(16)}::${host}`;
}
