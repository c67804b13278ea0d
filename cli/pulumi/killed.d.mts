export function clearStaleLocks(
  backendUrl: string | undefined,
  facts?: { readonly hostname?: string; readonly isAlive?: (pid: number) => boolean },
): number[];

export function findLocks(
  backendUrl: string | undefined,
  stack: string,
  facts?: { readonly hostname?: string; readonly isAlive?: (pid: number) => boolean },
): { readonly pid?: number; readonly hostname?: string }[];

export function clearTornAttributes(backendUrl: string | undefined): void;

export function listFiles(
  backendUrl: string | undefined,
  area: string,
  extension: string,
): string[];
