import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The path of package.json relative to the sources, and to the compiled package. */
const PLACES = ['../../', '../../../'];

/** The folder of this package, with a separator at its end; undefined in a bundle. */
export function packageFolder(): string | undefined {
  return found()?.folder;
}

/** The version of this package. */
export function version(): string {
  return found()?.version ?? 'unknown';
}

function found(): { readonly folder: string; readonly version: string } | undefined {
  for (const place of PLACES) {
    try {
      const folder = fileURLToPath(new URL(place, import.meta.url));
      const { name, version } = JSON.parse(readFileSync(`${folder}package.json`, 'utf8')) as {
        name?: unknown;
        version?: unknown;
      };
      if (name === 'snowmesh' && typeof version === 'string') return { folder, version };
    } catch {
      // It is not there: the next place.
    }
  }
  return undefined;
}
