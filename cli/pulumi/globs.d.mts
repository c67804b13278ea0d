export interface NodeUrns {
  readonly container: string;
  readonly volumes: readonly string[];
  readonly steps: readonly string[];
}

export function nodesNamedIn(globs: readonly string[]): NodeUrns[];

export function isMatched(urn: string, globs: readonly string[]): boolean;
