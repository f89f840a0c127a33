// The oldest Node.js that runs this package. Bun and Deno tell the version of Node.js that they stand for.

const LEAST = [20, 19] as const;

/** @throws Error, in one sentence, for a Node.js that is too old. */
export function checkEngine(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1])) return;
  throw new Error(`snowmesh needs Node.js ${LEAST.join('.')} or newer; this is ${version}.`);
}
