import { createInterface } from "node:readline";
import { execa } from "execa";
import { eventually } from "../eventually.ts";

const PORT = 7777;
/** Prints each datagram's text; sends each line of stdin, `ADDRESS TEXT`. */
const PROGRAM = `
const socket = require("node:dgram").createSocket("udp4");
socket.on("message", (text) => console.log(String(text)));
socket.bind(${PORT}, () => console.log("bound"));
require("node:readline").createInterface(process.stdin).on("line", (line) => {
  const [address, text] = line.split(" ");
  socket.send(text, ${PORT}, address);
});
`;

/** Sends and receives datagrams at a place of the network, of which packets that are lost aren't sent again. */
export class Datagrams implements AsyncDisposable {
  readonly #process;
  readonly #heard: string[] = [];

  /** @param pid of a process in the place's network namespace. */
  private constructor(pid: number) {
    const command = ["--net", "--", process.execPath, "--eval", PROGRAM];
    this.#process = execa("nsenter", [`--target=${pid}`, ...command], { reject: false });
    createInterface(this.#process.stdout).on("line", (line) => this.#heard.push(line));
  }

  static async at(pid: number): Promise<Datagrams> {
    const datagrams = new Datagrams(pid);
    await datagrams.hear("bound");
    return datagrams;
  }

  /** All that it has received. */
  get heard(): readonly string[] {
    return this.#heard;
  }

  /** @param text without spaces. */
  send(address: string, text: string): void {
    this.#process.stdin.write(`${address} ${text}\n`);
  }

  async hear(text: string): Promise<void> {
    await eventually(async () => this.#heard.includes(text));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill();
    await this.#process;
  }
}
