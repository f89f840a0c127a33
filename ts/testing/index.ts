// The test kit: actors on virtual time, probes that record and expect, mailboxes one can look into.
//
// Guarantees that no test has to sleep: time passes when the test says so, and between two moments everything that can
// run has run. It throws node:assert errors and uses no globals, so any test runner will do. Nothing but tests imports
// this module; it may import every other.
export {
  type DiscoveryCheck,
  type DiscoveryFixture,
  discoveryConformance,
} from './discovery-conformance.ts';
export { type Expected } from './expectation.ts';
export { type ExpectOptions, Probe } from './probe.ts';
export { type LogLine, startTestRuntime, TestRuntime } from './test-runtime.ts';
export { VirtualClock } from './virtual-clock.ts';
