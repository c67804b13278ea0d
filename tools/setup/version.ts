/** Whether a version is good enough for a pinned one: the same major version, and not older. */
export function serves(version: string, pinned: string): boolean {
  const found = parse(version);
  const wanted = parse(pinned);
  if (found.length < 3 || found.some(Number.isNaN) || found[0] !== wanted[0]) return false;
  const first = found.findIndex((number, index) => number !== wanted[index]);
  return first === -1 || (found[first] ?? 0) > (wanted[first] ?? 0);
}

function parse(version: string): number[] {
  return version.replace(/^v/, "").split(/[.+-]/, 3).map(Number);
}
