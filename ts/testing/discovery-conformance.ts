import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Discovery } from '../discovery/index.ts';
import type { SnowmeshError } from '../errors/index.ts';

/** A discovery under test, and functions that change what it finds. */
export interface DiscoveryFixture {
  readonly discovery: Discovery;
  /** Makes it find these nodes from now on. Absent: it always finds `a@127.0.0.1:9001`. */
  readonly set?: (names: readonly string[]) => void | Promise<void>;
  /** Makes look-ups fail until the next `set`. Absent: they cannot fail. */
  readonly breakDown?: () => void | Promise<void>;
  /** Ends everything the fixture started, after the discovery was stopped. */
  close?(): void | Promise<void>;
}

/** One promise of every discovery. `run` rejects with a node:assert error when it is broken. */
export interface DiscoveryCheck {
  readonly name: string;
  run(make: () => DiscoveryFixture | Promise<DiscoveryFixture>): Promise<void>;
}

const A = 'a@127.0.0.1:9001';
const B = 'b@127.0.0.1:9002';
const PATIENCE_MS = 10_000;

/** Everything a discovery told. */
class Listener {
  readonly sets: (readonly string[])[] = [];
  readonly failures: SnowmeshError[] = [];
  found = (names: readonly string[]): void => void this.sets.push(names);
  failed = (error: SnowmeshError): void => void this.failures.push(error);

  get heard(): number {
    return this.sets.length + this.failures.length;
  }

  async until(what: string, holds: () => boolean): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    while (!holds()) {
      ok(
        performance.now() < end,
        `did not happen: ${what}; told ${JSON.stringify(this.sets)}, ${this.failures.join()}`,
      );
      await sleep(2);
    }
  }

  foundLast(...names: string[]): Promise<void> {
    const wanted = JSON.stringify(names);
    return this.until(`found ${wanted}`, () => JSON.stringify(this.sets.at(-1)?.toSorted()) === wanted);
  }
}

type Body = (fixture: DiscoveryFixture, listener: Listener) => Promise<void>;

const check = (name: string, body: Body): DiscoveryCheck => ({
  name,
  async run(make) {
    const fixture = await make();
    try {
      await fixture.set?.([A]);
      await body(fixture, new Listener());
    } finally {
      await fixture.discovery.stop();
      await fixture.close?.();
    }
  },
});

/**
 * What every Discovery must do, as checks for any test runner. A check for which the fixture has no function passes.
 *
 * Fixtures should look again every few milliseconds.
 *
 * @example
 * for (const { name, run } of discoveryConformance) it(name, () => run(() => ({ discovery: myDiscovery() })));
 */
export const discoveryConformance: readonly DiscoveryCheck[] = [
  check('finds the whole set after its start', async ({ discovery }, listener) => {
    await discovery.start(listener);
    await listener.foundLast(A);
    deepEqual(listener.failures, []);
  }),

  check('finds what is added and what is left', async ({ discovery, set }, listener) => {
    await discovery.start(listener);
    await listener.foundLast(A);
    if (set === undefined) return;
    await set([A, B]);
    await listener.foundLast(A, B);
    await set([B]);
    await listener.foundLast(B);
  }),

  check('is silent while nothing changes', async ({ discovery }, listener) => {
    await discovery.start(listener);
    await listener.foundLast(A);
    await sleep(100);
    equal(listener.heard, 1);
  }),

  check('tells nothing after its end', async ({ discovery, set, breakDown }, listener) => {
    await discovery.start(listener);
    await listener.foundLast(A);
    await discovery.stop();
    const { heard } = listener;
    await set?.([A, B]);
    await breakDown?.();
    await sleep(100);
    equal(listener.heard, heard);
  }),

  check('starts again, for another listener', async ({ discovery }, listener) => {
    await discovery.start(listener);
    await discovery.stop();
    const next = new Listener();
    await discovery.start(next);
    await next.foundLast(A);
  }),

  check('serves one listener at a time', async ({ discovery }, listener) => {
    await discovery.start(listener);
    let code: unknown;
    try {
      await discovery.start(new Listener());
    } catch (error) {
      ({ code } = error as SnowmeshError);
    }
    equal(code, 'SNOW_ERR_BAD_OPTION');
    await listener.foundLast(A);
  }),

  check('may be stopped before its start, twice, and while it looks', async ({ discovery }, listener) => {
    await discovery.stop();
    const started = discovery.start(listener);
    await discovery.stop();
    await started;
    await discovery.stop();
    const { heard } = listener;
    await sleep(50);
    equal(listener.heard, heard);
  }),

  check('tells a failure once, keeps what it found, and recovers', async (fixture, listener) => {
    const { discovery, set, breakDown } = fixture;
    if (set === undefined || breakDown === undefined) return;
    await discovery.start(listener);
    await listener.foundLast(A);
    await breakDown();
    await listener.until('a failure', () => listener.failures.length > 0);
    match(String(listener.failures[0]?.code), /^SNOW_ERR_/);
    await sleep(100);
    const told = listener.failures.map(({ message }) => message);
    equal(new Set(told).size, told.length);
    deepEqual(listener.sets, [[A]]);
    await set([A, B]);
    await listener.foundLast(A, B);
  }),

  check('U4 fails at its first look without harm', async ({ discovery, set, breakDown }, listener) => {
    if (set === undefined || breakDown === undefined) return;
    await breakDown();
    await discovery.start(listener);
    await listener.until('a failure', () => listener.failures.length > 0);
    deepEqual(listener.sets, []);
    await set([B]);
    await listener.foundLast(B);
  }),
];
