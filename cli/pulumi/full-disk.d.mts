export function crampedFolder(
  backendUrl: string | undefined,
  statfs?: (folder: string) => { readonly bavail: number; readonly bsize: number },
): string | undefined;

export function mendStates(backendUrl: string | undefined): string[];
