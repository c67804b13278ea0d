import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { KeyedCertificate } from "../../../providers/certificates/issue-certificates.ts";
import { makeAuthority, makeCertificate } from "../certificates.ts";
import type { EngineTls } from "./disk.ts";

/** The certificates by which engines and the operator know each other, of one authority. */
export class EngineCertificates {
  /** Has `ca.pem`, `cert.pem` and `key.pem` of the operator, as in DOCKER_CERT_PATH. */
  readonly folder: string;
  readonly #authority: KeyedCertificate;

  private constructor(folder: string, authority: KeyedCertificate) {
    this.folder = folder;
    this.#authority = authority;
  }

  static async create(folder: string): Promise<EngineCertificates> {
    const certificates = new EngineCertificates(folder, await makeAuthority());
    const { ca, certificate, key } = await certificates.forEngine("operator");
    await mkdir(folder, { recursive: true });
    const files = { "ca.pem": ca, "cert.pem": certificate, "key.pem": key };
    for (const [name, text] of Object.entries(files)) {
      await writeFile(path.join(folder, name), text, { mode: 0o600 });
    }
    return certificates;
  }

  /** @param name the address or name by which it is reached. */
  async forEngine(name: string): Promise<EngineTls> {
    const { certificate, key } = await makeCertificate(name, this.#authority);
    return { ca: this.#authority.certificate, certificate, key };
  }
}
