/** What an exit signal does to its receiver. */
export type ExitEffect =
  | { readonly kind: 'ignore' }
  | { readonly kind: 'message' }
  | { readonly kind: 'die'; readonly reason: unknown };

const IGNORE: ExitEffect = { kind: 'ignore' };
const MESSAGE: ExitEffect = { kind: 'message' };

/**
 * What happens when an exit signal with `reason` is received.
 *
 * An explicit `kill` cannot be trapped and is seen as `killed` (E3, C7); a `kill` that comes over a link is a reason like any
 * other (C6). A trapping actor gets a message; others ignore `normal` (C4, E1) and die of anything else, `shutdown` included (C5).
 */
export function exitEffect(reason: unknown, isLink: boolean, isTrapping: boolean): ExitEffect {
  if (reason === 'kill' && !isLink) return { kind: 'die', reason: 'killed' };
  if (isTrapping) return MESSAGE;
  return reason === 'normal' ? IGNORE : { kind: 'die', reason };
}
