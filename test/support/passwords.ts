/** The passwords of test stacks, as plain text and as a stack's file has them. */
import { encrypt, isVaultThere, VAULT_SETTINGS } from "./vault.ts";

/** Distinctive, so that a search finds leaks. */
export const PASSWORDS = { password: "app-Zebra-4711", systemPassword: "sys-Yak-0815" };

type Name = keyof typeof PASSWORDS;

const NAMES = ["password", "systemPassword"] as const satisfies readonly Name[];

/** The CLI's ciphertext with the passphrase "test": encrypting takes a second for each password and stack. */
const ENCRYPTED = {
  salt: "v1:JpU5oyNJqg8=:v1:L2qfEaWXMrI1f3mp:bYZZA0m/kUqdIgRLaqe1LPPv28dyHw==",
  passwords: {
    password: "v1:uYKT3ikk313LLTTZ:SldQzNf7eFtyaj5WJeeiHkxzm6FCVWTKLdLPMrP3",
    systemPassword: "v1:xpQFQqQZzMY1eSVj:KnC6QUQhSVjT+SrBz59NcW8eRF/BoBF6LpnZ4w==",
  },
};

/** A stack's file with those of {@link PASSWORDS} that are wanted as its settings, for the passphrase "test". */
export function byPassphrase(project: string, isWanted: (name: Name) => boolean = () => true) {
  const settings = NAMES.filter(isWanted).map((name) => [
    `${project}:${name}`,
    { secure: ENCRYPTED.passwords[name] },
  ]);
  return { encryptionsalt: ENCRYPTED.salt, config: Object.fromEntries(settings) };
}

/** A stack's file with {@link PASSWORDS} as its settings, by the tests' Vault where it runs, which is less work. */
export function withPasswords(project: string) {
  if (!isVaultThere()) return byPassphrase(project);
  const settings = NAMES.map((name) => [`${project}:${name}`, encrypt(PASSWORDS[name])]);
  return { ...VAULT_SETTINGS, config: Object.fromEntries(settings) };
}
