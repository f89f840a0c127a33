// The versions of Node.js that run this package. Bun and Deno tell the version of Node.js that they stand for.

/** As `engines` in package.json says, in words. The first with `process.getBuiltinModule`, and in line 20 with `require` of an ES module, too. */
export const ENGINES = 'Node.js 20.19, or 22.3 or later';

/** Whether a version of Node.js runs this package. */
export function isEngine(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major === 20 ? minor >= 19 : major > 22 || (major === 22 && minor >= 3);
}

/** @throws Error, in one sentence, for a Node.js that lacks something. */
export function checkEngine(version: string): void {
  if (!isEngine(version)) throw new Error(`snowmesh needs ${ENGINES}; this is ${version}.`);
}
