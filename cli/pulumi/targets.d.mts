export function valuesOf(args: readonly string[], options: readonly string[]): string[];

export function findUnguarded(args: readonly string[]): string | undefined;

export function commandOf(args: readonly string[]): string | undefined;
