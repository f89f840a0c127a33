// The messages of the channel `introspect` (docs/wire.md, section 13).

export const CHANNEL = 'introspect';

/**
 * Why a node refuses a question: introspection is off (`off`), too many questions wait (`busy`), the options are wrong (`bad`), the node
 * does not know the question (`unknown`), the answer failed (`failed`).
 */
export type Refusal = (typeof REFUSALS)[number];

export type Message =
  | readonly ['ask', id: number, question: string, options: unknown]
  | readonly ['answer', id: number, value: unknown]
  | readonly ['refuse', id: number, why: Refusal];

const REFUSALS = ['off', 'busy', 'bad', 'unknown', 'failed'] as const;
/** Most characters of a question. */
const MAX_QUESTION = 64;

/** The message, if a peer's term is one; otherwise undefined. It does not check `options` and `value`. O(1). */
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
