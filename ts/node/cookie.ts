// Reads the shared secret and rejects a weak one (T16). It goes to the native core and is not kept in JavaScript (T15): no
// field, no error and no log line may contain it.
import { readFileSync, statSync } from 'node:fs';
import { SnowmeshError } from '../errors/index.ts';
import { MIN_COOKIE_BYTES, MIN_COOKIE_DISTINCT } from '../wire/index.ts';

const ADVICE = 'Make one with: openssl rand -base64 32';

/**
 * The cookie to use: `cookie` if it is given, else the content of `file` without its line end.
 *
 * @throws SNOW_ERR_COOKIE_MISSING when there is none, SNOW_ERR_COOKIE_FILE when the file cannot be read or others may
 * read it, SNOW_ERR_COOKIE_WEAK when it is too short or too uniform.
 */
export function resolveCookie(cookie: string | undefined, file: string | undefined): string {
  if (cookie !== undefined && typeof cookie !== 'string') {
    throw new SnowmeshError('SNOW_ERR_COOKIE_MISSING', `the cookie must be a string. ${ADVICE}`);
  }
  const secret = cookie ?? (file === undefined ? undefined : readCookie(file));
  if (secret === undefined || secret === '') {
    throw new SnowmeshError(
      'SNOW_ERR_COOKIE_MISSING',
      `a named node needs a cookie or a cookieFile. ${ADVICE}`,
    );
  }
  const bytes = Buffer.byteLength(secret);
  if (bytes < MIN_COOKIE_BYTES) {
    throw new SnowmeshError(
      'SNOW_ERR_COOKIE_WEAK',
      `the cookie has ${bytes} bytes, at least ${MIN_COOKIE_BYTES} are needed. ${ADVICE}`,
    );
  }
  if (new Set(secret).size < MIN_COOKIE_DISTINCT) {
    throw new SnowmeshError(
      'SNOW_ERR_COOKIE_WEAK',
      `the cookie has fewer than ${MIN_COOKIE_DISTINCT} different characters. ${ADVICE}`,
    );
  }
  return secret;
}

function readCookie(file: string): string {
  let text: string;
  try {
    // Windows has no mode bits but access lists, which are not checked.
    if (process.platform !== 'win32' && (statSync(file).mode & 0o007) !== 0) {
      throw new SnowmeshError(
        'SNOW_ERR_COOKIE_FILE',
        `every user may read or write the cookie file ${file}: chmod 600 ${file}`,
      );
    }
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof SnowmeshError) throw error;
    throw new SnowmeshError(
      'SNOW_ERR_COOKIE_FILE',
      `the cookie file ${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`,
    );
  }
  const secret = text.replace(/\r?\n$/, '');
  if (secret.trim() === '')
    throw new SnowmeshError('SNOW_ERR_COOKIE_FILE', `the cookie file ${file} is empty`);
  return secret;
}
