// Timers and clocks in tests. A test awaits an event, and counts work where an amount is promised: what depends on how fast a
// machine is fails on a busy one. The few files that need a timer or a clock say here what for.

/** Files of `test/`, and what each uses timers or clocks for. */
export const CLOCKS: Readonly<Record<string, string>> = {
  'cluster/client-in-browser.test.ts': 'text that a page has to refuse to run',
  'cluster/one-node/alone.test.ts': 'a timer that has to fire before another one does',
  'cluster/one-node/blocked-loop.ts': 'a worker asks for a native counter, for which there is no event',
  'cluster/one-node/lifetime.ts': 'the end of a process that something keeps alive',
  'cluster/one-node/stopper.ts': 'keeps its process alive; a timer that has to fire after another one',
  'cluster/one-node/watchdogs.ts': 'keeps its process alive',
  'cluster/two-nodes/command-line.test.ts': 'a clock that is wrong',
  'fault/chaos.test.ts': 'troubles of random length; nothing is promised in that time',
  'fault/hostile-peer.test.ts': 'a peer that sends a byte now and then',
  'fault/rooms-chaos.test.ts': 'troubles of random length; nothing is promised in that time',
  'fault/workload-rooms.ts': 'a node that broadcasts all the time',
  'native/chaos.test.ts': 'pauses of random length; nothing is promised in that time',
  'native/child.ts': 'a worker that is ended at different moments of its start',
  'native/runtime-child.ts': 'an error outside of any promise',
  'native/stall.test.ts': 'a stream that does not end',
  'package/guide-pm2.test.ts': 'a program that runs on while a timer of PM2 fires',
  'property/client-rate.test.ts': 'a clock that the test sets',
  'support/certificate.ts': 'the dates of a certificate',
  'support/child.ts': 'deadlines',
  'support/cluster-node.ts': 'deadlines',
  'support/deadline.ts': 'deadlines',
  'support/proxy.ts': 'a connection that is slow',
  'unit/client/bundle.test.ts': 'timers that the test fires',
  'unit/client/connector.test.ts': 'fake time, which jumps during a sleep',
  'unit/client/pacer.test.ts': 'a clock that the test sets',
  'unit/client/storm.test.ts': 'timers that the test fires',
  'unit/discovery/portmap.test.ts': 'a client that sends a byte now and then',
  'unit/introspect/crashes.test.ts': 'a clock that the test sets',
  'unit/introspect/peers.test.ts': 'a clock that the test sets',
  'unit/kernel/backlog.test.ts': 'a timer that has to fire during a flood, and a clock that the test sets',
  'unit/kernel/ghost-child.ts': 'what a dead actor left behind: timers',
  'unit/kernel/stores.test.ts': 'a timer of user code, whose store has to be its own',
  'unit/node/loops.test.ts': 'a timer that has to fire during a loop',
  'unit/node/session/outgoing.test.ts': 'a clock that the test sets',
  'unit/node/stop-on-signals.test.ts': 'fake timers',
  'unit/observe/cluster-watch.test.ts': 'fake timers',
  'unit/rooms/attach.test.ts': 'a timer that the test fires',
  'unit/rooms/send-buffer.test.ts': 'that no timer is set',
  'unit/scheduler/cut-off.test.ts': 'a clock that the test sets',
  'unit/scheduler/parking.test.ts': 'a clock that the test sets',
  'unit/scheduler/shares.test.ts': 'a clock that the test sets',
  'unit/send/timers.test.ts': 'a clock that the test sets',
  'unit/support/child.test.ts': 'keeps a process alive',
  'unit/testing/kit.test.ts': 'a message from outside that comes later',
};

const USE =
  /\bset(Timeout|Interval)\b|\bDate\.now\b|\bperformance\.now\b|spyOn\((performance|Date), 'now'\)|from 'node:timers\/promises'.*\bsleep\b/;
const IN_ASSERTION = /\bexpect\((?:[^()]|\([^()]*\))*\b(?:Date|performance)\.now\(/;

/** Timers and clocks of tests without a reason, reasons that are not needed, and clocks in assertions. */
export function unexplainedClocks(
  tests: ReadonlyMap<string, string>,
  reasons: Readonly<Record<string, string>>,
): string[] {
  const users = new Set(
    [...tests].filter(([, text]) => USE.test(text)).map(([path]) => path.replace('test/', '')),
  );
  return [
    ...[...users]
      .filter((path) => reasons[path] === undefined)
      .map(
        (path) =>
          `test/${path} uses a timer or a clock: await an event, or give a reason in test/support/clocks.ts`,
      ),
    ...Object.keys(reasons)
      .filter((path) => !users.has(path))
      .map((path) => `test/${path} uses no timer and no clock: its reason in test/support/clocks.ts can go`),
    ...[...tests]
      .filter(([, text]) => IN_ASSERTION.test(text))
      .map(([path]) => `${path} has a clock in an assertion: count work, or await an event`),
  ].sort();
}
