import { readFileSync } from 'node:fs';

/** Where package.json lies seen from the sources, and from the compiled package. */
const PLACES = ['../../package.json', '../../../package.json'];

/** The version of this package. */
export function version(): string {
  for (const place of PLACES) {
    try {
      const text = readFileSync(new URL(place, import.meta.url), 'utf8');
      const { name, version: found } = JSON.parse(text) as { name?: unknown; version?: unknown };
      if (name === 'snowmesh' && typeof found === 'string') return found;
    } catch {
      // It is not there: the next place.
    }
  }
  return 'unknown';
}
