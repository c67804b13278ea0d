export function clearStaleLocks(
  backendUrl: string | undefined,
  facts?: { readonly hostname?: string; readonly isAlive?: (pid: number) => boolean },
): number[];

export function clearTornAttributes(backendUrl: string | undefined): void;

export function isLocked(
  backendUrl: string | undefined,
  stack: string,
  facts?: { readonly hostname?: string; readonly isAlive?: (pid: number) => boolean },
): boolean;

export function listFiles(
  backendUrl: string | undefined,
  area: string,
  extension: string,
): string[];
