// The orders of the driver to a server process.
import { collectGarbage, cpuSeconds } from '../harness.ts';
import type { Load } from './servers.ts';

interface Order {
  readonly broadcast?: number;
  /** `memory`: after a collection. */
  readonly load?: 'cpu' | 'memory';
}

/** @param bytes length of each message. */
export function answerOrders(bytes: number, broadcast: (text: string) => void): void {
  let sequence = 0;
  const filler = fillerOf(bytes - 8 - 1 - 16 - 1);
  process.on('message', ({ broadcast: count = 0, load }: Order) => {
    for (let number = 0; number < count; number++) {
      const sent = String(process.hrtime.bigint()).padStart(16, '0').slice(-16);
      broadcast(`${String(sequence++ % 1e8).padStart(8, '0')} ${sent} ${filler}`);
    }
    if (load === undefined) return;
    if (load === 'memory') collectGarbage();
    const { rss, heapUsed, external } = process.memoryUsage();
    process.send?.({ cpu: cpuSeconds(), rss, heap: heapUsed + external } satisfies Load);
  });
}

/** Text that can be compressed as chat can. */
function fillerOf(length: number): string {
  const words = ['rooms', 'share', 'what', 'their', 'members', 'say', 'over', 'all', 'nodes'];
  let text = '';
  for (let number = 0; text.length < length; number++)
    text += `${words[(number * 7 + (number >> 3)) % words.length]} ${number} `;
  return text.slice(0, Math.max(0, length));
}
