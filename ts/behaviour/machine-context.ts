import type { Self } from '../actor/index.ts';
import { SnowmeshError } from '../errors/index.ts';
import type { NoReply } from './protocol.ts';
import { Context, NO_REPLY } from './server-context.ts';

/** The context of a state machine. The name of the current state is the state of the server. */
export class MachineContext<D, M> extends Context<string, M> {
  data: D;
  /** @internal The state that `goto` requested. */
  next: string | undefined = undefined;
  /** @internal Whether a message is being handled that can be postponed; not in `enter` and `onTimeout`. */
  hasMessage = false;
  /** @internal Set by `postpone`. */
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
          `goto("${state}") in \`enter\` of "${this.state}": call it in a handler, or in \`onTimeout\``,
        );
      }
      this.next = state;
      this.requested();
    };
  }

  get postpone(): () => NoReply<never> {
    return () => {
      if (!this.hasMessage) {
        throw new SnowmeshError(
          'SNOW_ERR_BAD_OPTION',
          `postpone() in \`enter\` or \`onTimeout\` of "${this.state}": call it in a handler of a message`,
        );
      }
      this.isPostponed = true;
      return NO_REPLY as unknown as NoReply<never>;
    };
  }

  get stateTimeout(): (ms: number) => void {
    return (ms) => {
      this.newTimeout = ms;
      this.requested();
    };
  }
}
