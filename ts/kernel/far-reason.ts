import { SnowmeshError } from '../errors/index.ts';
import type { ExitReason } from './exit-reason.ts';

/**
 * Sends an exit reason to another node. One that cannot travel there, being too large or too deep, is replaced by
 * `{ unsendable: code }`: the news of an end is never lost for its reason, nor does it take the connection along (rule P8).
 */
export function sendReason(send: (reason: ExitReason) => void, reason: ExitReason): void {
  try {
    send(reason);
  } catch (error) {
    const code = error instanceof SnowmeshError ? error.code : 'SNOW_ERR_UNSENDABLE';
    send({ unsendable: code });
  }
}
