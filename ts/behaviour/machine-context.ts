import type { Self } from '../actor/index.ts';
import { SnowmeshError } from '../errors/index.ts';
import type { NoReply } from './protocol.ts';
import { Context, NO_REPLY } from './server-context.ts';

/** The context of a state machine as its body sees it; the state's name is the server's state. */
export class MachineContext<D, M> extends Context<string, M> {
  data: D;
  /** @internal Where `goto` leads. */
  next: string | undefined = undefined;
  /** @internal A message is in hand that can be kept: none in `enter` and `onTimeout`. */
  hasMessage = false;
  /** @internal The message in hand is to be kept. */
  isPostponed = false;
  /** @internal Set by `stateTimeout`, until the body has armed it. */
  newTimeout: number | undefined = undefined;
  /** @internal */
  isEntering = false;

  constructor(self: Self<M>, state: string, data: D) {
    super(self, state, Number.POSITIVE_INFINITY);
    this.data = data;
  }

  get goto(): (state: string) => void {
    return (state) => {
      if (this.isEntering) {
        throw new SnowmeshError(
          'SNOW_ERR_BAD_OPTION',
          `goto("${state}") in the enter action of "${this.state}"`,
        );
      }
      this.next = state;
    };
  }

  get postpone(): () => NoReply<never> {
    return () => {
      if (!this.hasMessage) {
        throw new SnowmeshError(
          'SNOW_ERR_BAD_OPTION',
          `postpone() in "${this.state}" without a message in hand`,
        );
      }
      this.isPostponed = true;
      return NO_REPLY as unknown as NoReply<never>;
    };
  }

  get stateTimeout(): (ms: number) => void {
    return (ms) => {
      this.newTimeout = ms;
    };
  }
}
