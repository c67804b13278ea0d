/** Whether clients reach what servers tell them of, as far as settings say. */
import {
  isAddress,
  isEverywhere,
  isIpv6,
  isLinkLocal,
  isLocalName,
  isLoopback,
  isPrivate,
} from "../base/addresses.ts";
import { howToSet, type SettingsPlace } from "../base/settings-place.ts";
import { listSome } from "../base/wording.ts";
import type { Told } from "./endpoints.ts";

/** A node, as clients hear of it. */
export interface ToldNode {
  readonly name: string;
  readonly containerName: string;
  readonly bindAddress: string;
  /** See `Endpoints`. */
  readonly told: Told | "nothing" | undefined;
}

/** Warnings about addresses that clients plainly can't reach, one for all nodes that have the same. */
export function reachNotices(nodes: readonly ToldNode[], place: SettingsPlace): string[] {
  const faults = nodes.flatMap((node) => {
    const fault = faultOf(node, place);
    return fault === undefined ? [] : [{ name: node.name, fault }];
  });
  return [...Map.groupBy(faults, ({ fault }) => fault)].map(
    ([fault, those]) => `advertise: ${listSome(those.map(({ name }) => name))}: ${fault}`,
  );
}

function faultOf(
  { name, containerName, bindAddress, told }: ToldNode,
  place: SettingsPlace,
): string | undefined {
  if (told === "nothing") return undefined;
  if (told === undefined) {
    return `clients are told of the addresses of containers, which other machines don't reach, as ${bindAddress} names none; say by which host clients do: ${howToSet(place, "advertise", "nats.example.com:{port}")}, or that they are told nothing: none`;
  }
  const { host } = told;
  const isOwn = isLoopback(host) || isLocalName(host);
  if (isOwn !== isLoopback(bindAddress)) {
    return isOwn
      ? `clients are told of ${host}, which is another machine to each`
      : `clients are told of ${host}, while ports are on ${bindAddress} alone`;
  }
  if (isLinkLocal(host)) return `clients are told of ${host}, which is reached on one link alone`;
  if ([name, containerName].includes(host)) {
    return `clients are told of names that are known in the network of the nodes alone`;
  }
  if (isPrivate(host) && isPublic(bindAddress)) {
    return `clients are told of ${host}, an address of a private network, while ports are on ${bindAddress}`;
  }
  const isOfOtherKind = isAddress(host) && isIpv6(host) !== isIpv6(bindAddress);
  return isOfOtherKind
    ? `clients are told of ${host}, while ports are on ${bindAddress}`
    : undefined;
}

function isPublic(address: string): boolean {
  return !isPrivate(address) && !isEverywhere(address) && !isLoopback(address);
}
