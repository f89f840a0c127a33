import { SnowmeshError } from '../errors/index.ts';
import type { Mailbox } from '../mailbox/index.ts';
import type { MailboxLimit, OverflowPolicy } from '../spawn/spawn-options.ts';
import { Call } from './call.ts';
import type { Cell } from './cell.ts';
import { SystemMessage } from './system-message.ts';

const POLICIES: ReadonlySet<OverflowPolicy> = new Set(['drop-new', 'drop-old', 'exit', 'block']);
/** What a mailbox remembers the place of its oldest message of user code under. */
const OLDEST = [Symbol('snowmesh.oldest')];

/** A sender that waits for room. */
interface Blocked {
  readonly from: Cell;
  readonly resolve: () => void;
}

/**
 * The limit of one mailbox: how many messages of users (and calls) wait in it, and who waits for room. What the runtime
 * itself puts there takes no room and is always let in.
 */
export class MailboxGate {
  readonly max: number;
  readonly policy: OverflowPolicy;
  private waiting = 0;
  private readonly blocked = new Set<Blocked>();

  /** Throws SNOW_ERR_BAD_OPTION. */
  constructor({ max, policy = 'drop-new' }: MailboxLimit) {
    if (!(Number.isSafeInteger(max) || max === Number.POSITIVE_INFINITY) || max < 1)
      throw badOption('max', max, 'a whole number from 1 on, or Infinity');
    if (!POLICIES.has(policy)) throw badOption('policy', policy, [...POLICIES].join(', '));
    this.max = max;
    this.policy = policy;
  }

  get isFull(): boolean {
    return this.waiting >= this.max;
  }

  /** A message went into the mailbox. */
  entered(message: unknown): void {
    if (takesRoom(message)) this.waiting++;
  }

  /** A message left the mailbox: the sender that waits longest may go on. */
  left(message: unknown): void {
    if (!takesRoom(message)) return;
    this.waiting--;
    this.release();
  }

  /** Drops the oldest message of user code; calls stay, somebody waits for their answer. False: there is none. */
  dropOldest(mailbox: Mailbox): boolean {
    const dropped = mailbox.take((message) => !(message instanceof SystemMessage), OLDEST);
    if (typeof dropped === 'symbol') return false;
    this.waiting--;
    return true;
  }

  /** Resolves when there may be room, or the actor is dead. */
  room(from: Cell): Promise<void> {
    return new Promise((resolve) => {
      const entry: Blocked = { from, resolve: () => (forget(), resolve()) };
      const forget = from.runtime.onDeath(from.pid, () => this.blocked.delete(entry));
      this.blocked.add(entry);
    });
  }

  /** Lets one sender go on, if any waits: also called by one that was let go on and died before it could send. */
  release(): void {
    for (const entry of this.blocked) {
      this.blocked.delete(entry);
      entry.resolve();
      return;
    }
  }

  /** The actor is dead: nobody waits for room any more. */
  close(): void {
    for (const entry of this.blocked) entry.resolve();
    this.blocked.clear();
  }
}

function takesRoom(message: unknown): boolean {
  return !(message instanceof SystemMessage) || message instanceof Call;
}

function badOption(name: string, value: unknown, wanted: string): SnowmeshError {
  return new SnowmeshError(
    'SNOW_ERR_BAD_OPTION',
    `option mailbox.${name} is ${String(value)}; it must be ${wanted}`,
  );
}
