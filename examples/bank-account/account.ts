// A bank account: a state machine whose answers depend on whether the account is open, frozen or closed.
import { defineStateMachine, type MachineStart } from '../../ts/index.ts';

type AccountState = 'open' | 'frozen' | 'closed';

export interface Account {
  readonly owner: string;
  /** In cents, so that it adds up. */
  balance: number;
  /** Withdrawals in a row that were refused. */
  refusals: number;
  readonly history: string[];
}

export type Withdrawal = { ok: true; balance: number } | { ok: false; reason: 'insufficient' | 'frozen' };

/** So many refused withdrawals freeze an account... */
const REFUSALS = 3;
/** ...for so many ms. */
export const FROZEN_MS = 60_000;

export const account = defineStateMachine({
  name: 'account',
  init: (_self, owner: string): MachineStart<AccountState, Account> => ({
    state: 'open',
    data: { owner, balance: 0, refusals: 0, history: [] },
  }),
  states: {
    open: {
      enter: ({ data }, from) => {
        data.refusals = 0;
        if (from !== undefined) data.history.push('open again');
      },
      calls: {
        deposit: ({ data }, cents: number) => (data.balance += cents),
        withdraw: ({ data, goto }, cents: number): Withdrawal => {
          if (cents <= data.balance) {
            data.refusals = 0;
            data.balance -= cents;
            return { ok: true, balance: data.balance };
          }
          if (++data.refusals === REFUSALS) goto('frozen');
          return { ok: false, reason: 'insufficient' };
        },
        close: ({ data, goto }): number => {
          goto('closed');
          const paidOut = data.balance;
          data.balance = 0;
          return paidOut;
        },
      },
    },
    frozen: {
      enter: ({ data }) => void data.history.push('frozen'),
      timeout: FROZEN_MS,
      onTimeout: ({ goto }) => goto('open'),
      calls: {
        deposit: ({ data }, cents: number) => (data.balance += cents),
        withdraw: (): Withdrawal => ({ ok: false, reason: 'frozen' }),
        // Closing waits until the account is open again; whoever asked waits with it.
        close: ({ postpone }) => postpone(),
      },
      casts: { release: ({ goto }) => goto('open') },
    },
    closed: {
      enter: ({ data, stateTimeout }) => {
        data.history.push('closed');
        stateTimeout(1000); // time for a last statement
      },
      onTimeout: ({ stop }) => stop(),
    },
  },
  any: {
    calls: {
      statement: ({ state, data }) => ({ state, ...data }),
    },
  },
});
