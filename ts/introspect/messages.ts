// The messages of the channel `introspect` (docs/wire.md, section 13).

export const CHANNEL = 'introspect';

/** Why a question was not answered: this node does not answer (`off`), too many wait (`busy`), it makes no sense (`bad`), the node does not know it (`unknown`), it failed. */
export type Refusal = (typeof REFUSALS)[number];

export type Message =
  | readonly ['ask', id: number, question: string, options: unknown]
  | readonly ['answer', id: number, value: unknown]
  | readonly ['refuse', id: number, why: Refusal];

const REFUSALS = ['off', 'busy', 'bad', 'unknown', 'failed'] as const;
/** Characters of a question. */
const MAX_QUESTION = 64;

/** A message of a peer whose parts have the right types, or undefined. What `options` and `value` hold is not checked. O(1). */
export function parseMessage(value: unknown): Message | undefined {
  if (!Array.isArray(value)) return undefined;
  const [kind, id, third] = value as readonly unknown[];
  if (!Number.isSafeInteger(id) || (id as number) < 0) return undefined;
  const fits =
    (kind === 'ask' && value.length === 4 && typeof third === 'string' && third.length <= MAX_QUESTION) ||
    (kind === 'answer' && value.length === 3) ||
    (kind === 'refuse' && value.length === 3 && REFUSALS.includes(third as Refusal));
  return fits ? (value as unknown as Message) : undefined;
}
