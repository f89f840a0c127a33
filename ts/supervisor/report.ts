import type { Self } from '../actor/index.ts';
import { childRestart } from '../diagnostics/index.ts';
import type { Pid } from '../term/index.ts';
import type { ChildPlan } from './child-spec.ts';

/**
 * Writes the log lines of a supervisor. The runtime reports the crash itself; these lines, at a lower level, report the reaction of
 * the supervisor. They contain no payload: only the type of a dropped message.
 */
export class SupervisorReport {
  private readonly self: Self;
  private readonly supervisor: string;

  constructor(self: Self) {
    this.self = self;
    this.supervisor = self.label;
  }

  // PIDs are passed as they are: they become strings only if the logger writes the line.

  childEnded({ id }: ChildPlan, pid: Pid, reason: unknown): void {
    const { supervisor, self } = this;
    self.runtime.logger.info({ event: 'child_ended', supervisor, child: id, pid, reason }, 'child ended');
  }

  /** Logs a child that did not end with the expected reason. */
  childStopped(plan: ChildPlan, pid: Pid, reason: unknown): void {
    if (isOrderly(plan, reason)) return;
    const { supervisor, self } = this;
    self.runtime.logger.warn(
      { event: 'child_shutdown_error', supervisor, child: plan.id, pid, reason },
      'a child did not end as expected',
    );
  }

  restarting({ id }: ChildPlan): void {
    const { runtime, pid: supervisor } = this.self;
    if (childRestart.hasSubscribers) childRestart.publish({ runtime, supervisor, id });
  }

  startFailed({ id }: ChildPlan, reason: unknown): void {
    const { supervisor, self } = this;
    self.runtime.logger.warn(
      { event: 'child_start_error', supervisor, child: id, reason },
      'a child failed to restart',
    );
  }

  /** Logs a child that is started again when its node is back. */
  waiting({ id }: ChildPlan): void {
    const { supervisor, self } = this;
    self.runtime.logger.info(
      { event: 'child_awaits_node', supervisor, child: id },
      'a child waits for its node',
    );
  }

  /** `reason`: that of the child that ended, or did not start, last. */
  givingUp(why: string, level: 'error' | 'info', reason: unknown): void {
    const { supervisor, self } = this;
    const { root, logger } = self.runtime;
    const isTop = self.parent === undefined || self.parent.equals(root);
    logger[level](
      { event: 'supervisor_shutdown', supervisor, actor: self.pid, why, reason },
      `a supervisor ends${isTop ? ', and nothing starts it again' : ''}: ${why}`,
    );
  }

  unexpectedMessage(kind: string): void {
    const { supervisor, self } = this;
    self.runtime.throttledLog.write(
      'warn',
      { event: 'unexpected_message', supervisor, actor: self.pid, kind },
      'a supervisor dropped a message',
      `${supervisor} ${kind}`,
    );
  }
}

function isOrderly({ restart, shutdown }: ChildPlan, reason: unknown): boolean {
  if (reason === 'shutdown' || reason === 'noproc' || reason === 'noconnection') return true;
  if (shutdown === 'brutalKill') return reason === 'killed';
  if (restart === 'permanent') return false;
  return reason === 'normal' || (typeof reason === 'object' && reason !== null && 'shutdown' in reason);
}
