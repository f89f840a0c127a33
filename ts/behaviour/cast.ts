/** First element of a cast: `['$cast', tag, …arguments]`, a plain message so that it can go to any node. */
const CAST = '$cast';

export type CastMessage = readonly [typeof CAST, string, ...unknown[]];

export function castMessage(tag: string, args: readonly unknown[]): CastMessage {
  switch (args.length) {
    case 0:
      return [CAST, tag];
    case 1:
      return [CAST, tag, args[0]];
    default:
      return [CAST, tag, ...args];
  }
}

export function isCast(message: unknown): message is CastMessage {
  return Array.isArray(message) && message[0] === CAST && typeof message[1] === 'string';
}

export function castTag(message: readonly unknown[]): string {
  return message[1] as string;
}
