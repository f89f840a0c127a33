/** What happens to a message for a mailbox that is full. System messages are never dropped. */
export type OverflowPolicy = 'drop-new' | 'drop-old' | 'exit' | 'block';

/** How many messages may wait for an actor, and what happens to those that are too many. */
export interface MailboxLimit {
  /** Most user messages waiting. */
  readonly max: number;
  /** `block`: `sendWait` waits, plain sends are dropped. Default `drop-new`. */
  readonly policy?: OverflowPolicy;
}

/** How an actor is spawned. By default it has no ties, no name, and no limit. */
export interface SpawnOptions {
  /** Linked to the spawning actor from its first moment. Default false. */
  readonly link?: boolean;
  /** Monitored by the spawning actor from its first moment. Default false. */
  readonly monitor?: boolean;
  /** A local name; taken: the spawn throws SNOW_ERR_NAME_TAKEN and starts nothing. */
  readonly name?: string;
  /** For logs. Default: the spec's or function's name. */
  readonly label?: string;
  /** Default: no limit. */
  readonly mailbox?: MailboxLimit;
  /** Gets exit signals as messages from its first moment. Default false. */
  readonly trapExit?: boolean;
}
