export function clearStaleLocks(
  backendUrl: string | undefined,
  facts?: { readonly hostname?: string; readonly isAlive?: (pid: number) => boolean },
): number[];

export function clearTornAttributes(backendUrl: string | undefined): void;
