/** What happens to a message for a mailbox that is full. System messages are never dropped. */
export type OverflowPolicy = 'drop-new' | 'drop-old' | 'exit' | 'block';

export interface MailboxLimit {
  /** Most user messages waiting. */
  readonly max: number;
  /** `block`: `sendWait` waits, plain sends are dropped. Default `drop-new`. */
  readonly policy?: OverflowPolicy;
}

export interface SpawnOptions {
  readonly link?: boolean;
  readonly monitor?: boolean;
  /** A local name; taken: the spawn throws SNOW_ERR_NAME_TAKEN and starts nothing. */
  readonly name?: string;
  /** For logs. Default: the spec's or function's name. */
  readonly label?: string;
  readonly mailbox?: MailboxLimit;
  readonly trapExit?: boolean;
}
