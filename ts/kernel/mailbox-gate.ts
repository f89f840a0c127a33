import { OldestFirst } from '../collections/index.ts';
import { badOption, checkOptionNames, type OptionNames } from '../errors/index.ts';
import { type Mailbox, type Matcher, NOTHING } from '../mailbox/index.ts';
import { Call } from './call.ts';
import { SystemMessage } from './system-message.ts';

/**
 * What happens to a message for a mailbox that is full. Dropped messages are counted in `deadLetters`.
 *
 * - `drop-new`: the message is dropped
 * - `drop-old`: the oldest user message in the mailbox is dropped
 * - `exit`: the message is dropped, and the actor ends with `{ mailbox_full: max }`
 * - `block`: `sendWait` waits for room; the message of a plain `send` is dropped
 *
 * System messages always enter. A call to a full mailbox fails with `overload`.
 */
export type OverflowPolicy = 'drop-new' | 'drop-old' | 'exit' | 'block';

/** How many messages may wait for an actor, and what happens to further ones. Erlang's nearest is the flag `max_heap_size`. */
export interface MailboxLimit {
  /** Most user messages in the mailbox: a whole number from 1 on, or Infinity. */
  readonly max: number;
  /** What happens to further messages. Default `drop-new`. */
  readonly policy?: OverflowPolicy | undefined;
}

const MAILBOX_OPTIONS: OptionNames<MailboxLimit> = { max: true, policy: true };
const POLICIES: ReadonlySet<OverflowPolicy> = new Set(['drop-new', 'drop-old', 'exit', 'block']);
const USER_MESSAGES: Matcher = { takes: (message) => !(message instanceof SystemMessage) };
/** The key under which a mailbox remembers the place of its oldest user message. */
const OLDEST = [Symbol('snowmesh.oldest')];

/** A blocked sender. It stops waiting when it dies. */
interface BlockedSender {
  onDeath(callback: () => void): () => void;
}

/**
 * The limit of one mailbox: counts the user messages and calls in it, and holds the senders that wait for room. Other system
 * messages are not counted and always enter.
 */
export class MailboxGate {
  readonly max: number;
  readonly policy: OverflowPolicy;
  /** Counted messages in the mailbox. */
  private waiting = 0;
  /** Places of senders that were resumed and have not sent yet: no other sender gets them. */
  private reserved = 0;
  /** Resumes the blocked senders; the longest waiting is first. */
  private readonly blocked = new OldestFirst<() => void, true>();

  /** Throws SNOW_ERR_BAD_OPTION. */
  constructor(limit: MailboxLimit) {
    checkOptionNames('mailbox', limit, MAILBOX_OPTIONS);
    const { max, policy = 'drop-new' } = limit;
    if (!(Number.isSafeInteger(max) || max === Number.POSITIVE_INFINITY) || max < 1)
      throw badOption('mailbox.max', max, 'a whole number from 1 on, or Infinity');
    if (!POLICIES.has(policy)) throw badOption('mailbox.policy', policy, [...POLICIES].join(', '));
    this.max = max;
    this.policy = policy;
  }

  get isFull(): boolean {
    return this.waiting + this.reserved >= this.max;
  }

  /** Whether a sender has to wait: there is no room, or a sender that has waited has not used its place yet and goes first. */
  get blocks(): boolean {
    return this.isFull || this.reserved > 0;
  }

  /** How many senders wait for room. */
  get blockedCount(): number {
    return this.blocked.size;
  }

  /** A message went into the mailbox. */
  entered(message: unknown): void {
    if (takesRoom(message)) this.waiting++;
  }

  /** A message left the mailbox: the sender that waits longest gets its place. */
  left(message: unknown): void {
    if (!takesRoom(message)) return;
    this.waiting--;
    this.resumeSenders();
  }

  /** Removes and returns the oldest user message. Calls stay, because their callers wait. NOTHING: there is no user message. */
  dropOldest(mailbox: Mailbox): unknown {
    const dropped = mailbox.take(USER_MESSAGES, OLDEST);
    if (dropped !== NOTHING) this.waiting--;
    return dropped;
  }

  /** Resolves when a place is reserved for this sender - call {@link use} then - or the actor is dead. `from` null: code outside of actors. */
  room(from: BlockedSender | null): Promise<void> {
    return new Promise((resolve) => {
      const resume = (): void => (forget?.(), resolve());
      const forget = from?.onDeath(() => this.blocked.delete(resume));
      this.blocked.set(resume, true);
    });
  }

  /** Frees the reserved place and runs `enter`, which may send a message into it; if it does not, the next sender gets the place. */
  use(enter: () => void): void {
    this.reserved--;
    try {
      enter();
    } finally {
      this.resumeSenders();
    }
  }

  /** Gives the free places to blocked senders, the longest waiting first. */
  private resumeSenders(): void {
    while (this.blocked.size > 0 && !this.isFull) {
      const [resume] = this.blocked.takeOldest() as [() => void, true];
      this.reserved++;
      resume();
    }
  }

  /** The actor is dead: resumes every blocked sender. */
  close(): void {
    for (const resume of this.blocked.keys()) resume();
    this.blocked.clear();
  }
}

function takesRoom(message: unknown): boolean {
  return !(message instanceof SystemMessage) || message instanceof Call;
}
