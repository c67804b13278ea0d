/** Compares a node's planned certificate with the one that it presents now, before anything changes. */
import { X509Certificate } from "node:crypto";
import { canonicalName } from "../base/addresses.ts";
import { formatDuration } from "../base/quantities.ts";
import {
  describeExpiry,
  isDue,
  lifetimeOf,
  STACK_SERVER_NAME,
  type Validity,
} from "../tls/certificate-rules.ts";
import { certificatesIn } from "../tls/chains.ts";
import type { RunningTls } from "../tls/own-certificates.ts";
import { describeDifference, type Reason } from "./node-changes.ts";

/** The desired content of a certificate of the stack's own authority. */
export interface PlannedCertificate {
  /** Host names and addresses, in the spelling of `certificateNames`. */
  readonly names: readonly string[];
  /** In nanoseconds. */
  readonly lifetime: number;
}

/** Milliseconds. Certificates have whole seconds, so lifetimes that differ by less are equal. */
const SECOND = 1_000;

/**
 * Why the stack's authority issues a new certificate for a node; empty if the node keeps its certificate. That a
 * renewal is due is only listed if there is no other reason.
 *
 * @param shown the certificate that the node presents, PEM.
 * @param now milliseconds since 1970.
 */
export function issueReasons(shown: string, planned: PlannedCertificate, now: number): Reason[] {
  const certificate = new X509Certificate(shown);
  const validity = validityOf(certificate);
  const [before, after] = [lifetimeOf(validity), planned.lifetime / 1e6];
  const isOther = Math.abs(before - after) >= SECOND;
  const reasons = [
    {
      setting: "certificate names",
      change: describeDifference(namesForOthers(certificate), planned.names.filter(isForOthers)),
    },
    {
      setting: "certificateLifetime",
      change: isOther
        ? `${formatDuration(before * 1e6)} → ${formatDuration(planned.lifetime)}`
        : "",
    },
  ].filter(({ change }) => change !== "");
  const { validUntil } = validity;
  if (reasons.length > 0 || !isDue(validUntil, after, now)) return reasons;
  const expiry = describeExpiry(validUntil, now);
  return [{ setting: "certificate", change: `${expiry}, this up renews it` }];
}

/** The names but that by which the stack itself asks for the certificate: it comes with the setting `clientTls`. */
function namesForOthers(certificate: X509Certificate): string[] {
  return namesIn(certificate).filter(isForOthers);
}

function isForOthers(name: string): boolean {
  return name !== STACK_SERVER_NAME;
}

/** Whether a certificate, PEM, has a host name or address. */
export function hasName(shown: string, name: string): boolean {
  return namesIn(new X509Certificate(shown)).includes(canonicalName(name));
}

/** Why a node reloads the user's files; empty if it has the same. Intermediate certificates aren't compared. */
export function fileReasons(running: RunningTls, planned: RunningTls): Reason[] {
  const isOther = (texts: (tls: RunningTls) => readonly string[]) =>
    describeDifference(texts(running), texts(planned)) !== "";
  return [
    ...(isOther(({ certificate }) => fingerprints(certificate).slice(0, 1))
      ? [{ setting: "tlsFiles.cert", change: "has another certificate" }]
      : []),
    ...(isOther(({ ca }) => fingerprints(ca))
      ? [{ setting: "tlsFiles.ca", change: "has other authorities" }]
      : []),
  ];
}

function fingerprints(text: string): string[] {
  return certificatesIn(text).map(({ fingerprint256 }) => fingerprint256);
}

function validityOf({ validFromDate, validToDate }: X509Certificate): Validity {
  return { validFrom: validFromDate.toISOString(), validUntil: validToDate.toISOString() };
}

const NAME = /(?:DNS|IP Address):([^,\s]+)/g;

/** The host names and addresses in a certificate's subject alternative names. */
function namesIn({ subjectAltName = "" }: X509Certificate): string[] {
  return [...subjectAltName.matchAll(NAME)].map(([, name = ""]) => canonicalName(name));
}
