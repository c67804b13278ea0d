import path from "node:path";
import { z } from "zod";
import { isOfThisMachine, isTcp } from "../../lib/topology/engines.ts";
import { EngineRefuses } from "./answering-engines.ts";
import { DockerError, type EnginePlace, engineAt, type Fields, textField } from "./engine.ts";

interface Context {
  readonly host: string;
  /** Names of its certificates. */
  readonly files: readonly string[];
  /** Where they are, in a folder for each kind of endpoint. */
  readonly folder: string;
  /** Whether any engine is taken for its own. */
  readonly isUnverified: boolean;
}

const FIELDS: Fields<Context> = {
  host: textField(".Endpoints.docker.Host"),
  files: [
    ".TLSMaterial.docker",
    z
      .array(z.string())
      .nullable()
      .transform((files) => files ?? []),
  ],
  folder: textField(".Storage.TLSPath"),
  isUnverified: [".Endpoints.docker.SkipTLSVerify", z.boolean()],
};

const CERTIFICATES = ["ca.pem", "cert.pem", "key.pem"];

/**
 * Where an engine is: of one that the settings name by a docker context, its host and certificates. Pulumi's Docker
 * provider (5.2) follows no other contexts than those in `~/.docker`, and takes no certificates from them; the official
 * plugin also asks the engine that the environment chooses, instead of the context's, for a sign of life.
 *
 * @throws EngineRefuses with the way out.
 */
export async function resolveContext(place: EnginePlace): Promise<EnginePlace> {
  if (place.host.includes("://")) return place;
  const context = await inspect(place);
  const { host } = context;
  if (!isTcp(host) || isOfThisMachine(host)) return { ...place, host };
  const hasAll = CERTIFICATES.every((file) => context.files.includes(file));
  if (!hasAll || context.isUnverified) {
    throw new EngineRefuses(
      `engines.${place.key}: docker context ${place.host} leads to ${host} without certificates by which both know each other, so that everybody is root who reaches it. Give it ca, cert and key: docker context update ${place.host} --docker host=${host},ca=…,cert=…,key=…`,
    );
  }
  return { ...place, host, certPath: path.join(context.folder, "docker") };
}

async function inspect(place: EnginePlace): Promise<Context> {
  try {
    const [context] = await engineAt(place).list(FIELDS, "context", "inspect", place.host);
    if (context) return context;
  } catch (error) {
    if (!(error instanceof DockerError)) throw error;
    if (!/context.*(not found|does not exist)/i.test(error.reason)) {
      throw new EngineRefuses(
        `engines.${place.key}: docker context ${place.host}: ${error.reason}`,
      );
    }
  }
  throw new EngineRefuses(
    `engines.${place.key}: there is no docker context ${place.host} here. \`docker context ls\` says which there are; an engine's URL serves as well, e.g. host: ssh://nats@10.0.1.5`,
  );
}
