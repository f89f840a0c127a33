import type { Self } from '../actor/index.ts';
import type { Pid } from '../term/index.ts';
import type { ChildPlan } from './child-spec.ts';

/**
 * What a supervisor tells the log. A crash itself was reported by the runtime; here it is only said, at a lower level,
 * what the supervisor does about it. Never a payload: a message that was dropped is only counted.
 */
export class SupervisorReport {
  private readonly self: Self;

  constructor(self: Self) {
    this.self = self;
  }

  childEnded(plan: ChildPlan, pid: Pid, reason: unknown): void {
    this.self.runtime.logger.info(
      { ...this.facts('child_ended', plan), pid: pid.toString(), reason },
      'child ended',
    );
  }

  /** A child that ended otherwise than it was asked to. */
  childStopped(plan: ChildPlan, pid: Pid, reason: unknown): void {
    if (isOrderly(plan, reason)) return;
    this.self.runtime.logger.warn(
      { ...this.facts('child_shutdown_error', plan), pid: pid.toString(), reason },
      'a child did not end as asked',
    );
  }

  startFailed(plan: ChildPlan, reason: unknown): void {
    this.self.runtime.logger.warn(
      { ...this.facts('child_start_error', plan), reason },
      'a child failed to restart',
    );
  }

  givingUp(why: string, level: 'error' | 'info'): void {
    this.self.runtime.logger[level](
      { ...this.facts('supervisor_shutdown'), why },
      `supervisor gives up: ${why}`,
    );
  }

  noise(kind: string): void {
    this.self.runtime.logger.warn(
      { ...this.facts('unexpected_message'), kind },
      'a supervisor dropped a message',
    );
  }

  private facts(event: string, plan?: ChildPlan): object {
    const { label, pid } = this.self;
    const facts = { event, supervisor: label, supervisorPid: pid.toString() };
    return plan === undefined ? facts : { ...facts, child: plan.id };
  }
}

function isOrderly({ restart, shutdown }: ChildPlan, reason: unknown): boolean {
  if (reason === 'shutdown' || reason === 'noproc' || reason === 'noconnection') return true;
  if (shutdown === 'brutalKill') return reason === 'killed';
  if (restart === 'permanent') return false;
  return reason === 'normal' || (typeof reason === 'object' && reason !== null && 'shutdown' in reason);
}
