export function keepReplacedVolumes(backendUrl: string | undefined): string[];

export function findReplacedVolume(args: readonly string[]): string | undefined;
