// Where everything is: three nodes of one machine, each with a port for its page and one for the other nodes.

export const LETTERS = ['a', 'b', 'c'] as const;
export const ROOMS = ['lobby', 'engineering', 'random'] as const;

/** One of the three node processes. */
export interface Place {
  readonly letter: string;
  /** Its full node name, by which the other nodes find it. */
  readonly name: string;
  /** The port of its page and of its WebSockets. */
  readonly port: number;
  readonly page: string;
  readonly socket: string;
}

/** @param base the first of the six ports: pages are at base to base + 2, nodes at base + 10 to base + 12. */
export function placesFrom(base: number): Place[] {
  return LETTERS.map((letter, index) => ({
    letter,
    name: `${letter}@127.0.0.1:${base + 10 + index}`,
    port: base + index,
    page: `http://127.0.0.1:${base + index}`,
    socket: `ws://127.0.0.1:${base + index}/rooms`,
  }));
}
