import { beforeEach, describe, expect, it } from 'vitest';
import { HINT_LIMITS, LOST_LIMITS, Mesh } from '../../../../ts/node/mesh/mesh.ts';
import type { DialResult } from '../../../../ts/node/session/end-causes.ts';

interface Alarm {
  readonly at: number;
  readonly action: () => void;
}

/** A network in which time and every dial's outcome are the test's. */
class Scene {
  time = 0;
  readonly up = new Set<string>();
  readonly reachable = new Set<string>();
  readonly dials: { readonly at: number; readonly name: string }[] = [];
  dialling = 0;
  mostDialling = 0;
  /** How dials end that do not come through. */
  refusal: DialResult = 'unreachable';
  /** Dials never end. */
  stuck = false;
  /** Whether a dial of the name ends only after HANDSHAKE. */
  slow: (name: string) => boolean = () => false;
  alarms: Alarm[] = [];
  readonly mesh = new Mesh({
    self: 'me@h:1',
    isUp: (name) => this.up.has(name),
    dial: (name) => this.dial(name),
    now: () => this.time,
    after: (ms, action) => {
      const alarm = { at: this.time + ms, action };
      this.alarms.push(alarm);
      return () => void (this.alarms = this.alarms.filter((other) => other !== alarm));
    },
    random: () => 0.5,
  });

  /** The peer `by` has listed names. */
  hinted(names: readonly string[], by = 'peer@h:1'): void {
    this.mesh.hinted(names, by);
  }

  async dial(name: string): Promise<DialResult> {
    this.dials.push({ at: this.time, name });
    this.dialling++;
    this.mostDialling = Math.max(this.mostDialling, this.dialling);
    await (this.stuck ? new Promise(() => {}) : Promise.resolve());
    if (this.slow(name))
      await new Promise<void>((resolve) => this.alarms.push({ at: this.time + HANDSHAKE, action: resolve }));
    this.dialling--;
    if (!this.reachable.has(name)) return this.refusal;
    this.up.add(name);
    this.mesh.up(name);
    return 'up';
  }

  lose(
    name: string,
    cause: 'closed' | 'disconnect' | 'displaced' | 'goodbye' | 'protocol' = 'closed',
    network = '10.0.0.1',
  ): void {
    this.up.delete(name);
    this.mesh.down(name, cause, network);
  }

  /** Lets `ms` pass, alarm by alarm. */
  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      for (let turn = 0; turn < 8; turn++) await Promise.resolve();
      const next = this.takeEarliest();
      if (next === undefined || next.at > end) {
        if (next !== undefined) this.alarms.push(next);
        break;
      }
      this.time = Math.max(this.time, next.at);
      next.action();
    }
    this.time = end;
  }

  private takeEarliest(): Alarm | undefined {
    let earliest = 0;
    for (let at = 1; at < this.alarms.length; at++) {
      if ((this.alarms[at] as Alarm).at < (this.alarms[earliest] as Alarm).at) earliest = at;
    }
    return this.alarms.splice(earliest, 1)[0];
  }

  names = (): string[] => this.dials.map(({ name }) => name);
}

let scene: Scene;
beforeEach(() => void (scene = new Scene()));

const { names: MAX_HINTS } = HINT_LIMITS;
const { names: MAX_LOST, dials: MAX_LOST_DIALS } = LOST_LIMITS;
const MINUTE = 60_000;
/** How long a dial lasts that gets no answer. */
const HANDSHAKE = 7000;
const madeUp = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => `n${from + index}@h:7`);

describe('names that a peer told', () => {
  it('L1 are dialled at once, in one form, and once', async () => {
    scene.reachable.add('b@h:2').add('c@h:9000');
    scene.hinted(['b@h:2', 'c@h', 'c@h:9000', 'b@h:2']);
    await scene.pass(1000);
    expect(scene.names()).toEqual(['b@h:2', 'c@h:9000']);
    scene.hinted(['b@h:2']);
    await scene.pass(MINUTE);
    expect(scene.dials).toHaveLength(2);
    expect(scene.mesh.missing).toEqual([]);
  });

  it('T14 are harmless when they are no names, our own, or without a port', async () => {
    scene.hinted(['me@h:1', 'nonsense', 'a@b@c', 'x@h:0', '', 'a b@h:1', '@:1']);
    await scene.pass(MINUTE);
    expect(scene.dials).toEqual([]);
  });

  it('T14 65 535 of them start a few dials at a time, and are forgotten', async () => {
    scene.hinted(Array.from({ length: 65_535 }, (_, index) => `n${index}@h:7`));
    expect(scene.mesh.missing).toHaveLength(MAX_HINTS);
    await scene.pass(3 * MINUTE);
    expect(scene.mostDialling).toBeLessThanOrEqual(16);
    expect(new Set(scene.names()).size).toBe(MAX_HINTS);
    expect(scene.mesh.missing).toEqual([]);
  });

  it('T14 leave room for nodes that were lost or found, and never take all dials', async () => {
    scene.stuck = true;
    scene.hinted(Array.from({ length: 10_000 }, (_, index) => `n${index}@h:7`));
    await scene.pass(1000);
    expect(scene.dialling).toBeLessThanOrEqual(8);
    scene.lose('lost@h:2');
    scene.mesh.found(['found@h:2', 'n9@h:7', 'n1023@h:7']); // the last two were hints: one is being dialled or waits
    await scene.pass(1000);
    expect(scene.names()).toEqual(expect.arrayContaining(['lost@h:2', 'found@h:2', 'n9@h:7', 'n1023@h:7']));
    expect(new Set(scene.names()).size).toBe(scene.dials.length);
    expect(scene.mesh.missing).toHaveLength(MAX_HINTS + 2);
  });

  it('T14 that were dropped make room for others', async () => {
    scene.hinted(Array.from({ length: MAX_HINTS }, (_, index) => `n${index}@h:7`));
    await scene.pass(3 * MINUTE);
    scene.reachable.add('b@h:2');
    scene.hinted(['b@h:2']);
    await scene.pass(1000);
    expect(scene.up.has('b@h:2')).toBe(true);
  });

  it('T14 are dialled however many another peer has listed that cannot be reached', async () => {
    scene.slow = (name) => name.endsWith('@h:7');
    const honest = Array.from({ length: 600 }, (_, index) => `good${index}@h:2`);
    for (const name of honest) scene.reachable.add(name);
    scene.hinted(madeUp(10_000), 'x@h:1');
    await scene.pass(1000);
    scene.hinted(honest, 'y@h:1');
    expect(scene.mesh.missing).toHaveLength(MAX_HINTS);
    for (let waited = 0; waited < MINUTE / 2; waited += 100) await scene.pass(100);
    // Equal parts: 512 of each. Of what had no room, the peers that are up now tell again.
    expect(honest.filter((name) => scene.up.has(name))).toHaveLength(MAX_HINTS / 2);
    expect(scene.mostDialling).toBeLessThanOrEqual(8);
  });

  it('T14 of many peers are dialled in turn', async () => {
    scene.slow = (name) => name.endsWith('@h:7');
    for (let peer = 0; peer < 20; peer++) scene.hinted(madeUp(50, 50 * peer), `x${peer}@h:1`);
    await scene.pass(1000);
    scene.reachable.add('good@h:2');
    scene.hinted(['good@h:2'], 'y@h:1');
    await scene.pass(5 * HANDSHAKE);
    expect(scene.up.has('good@h:2')).toBe(true);
    scene.hinted(madeUp(10_000, 5000), 'z@h:1');
    expect(scene.mesh.missing).toHaveLength(MAX_HINTS);
  });

  it('that cannot be reached are dialled with growing pauses for a minute', async () => {
    scene.hinted(['gone@h:2']);
    await scene.pass(10 * MINUTE);
    const times = scene.dials.map(({ at }) => at);
    expect(times.at(-1)).toBeLessThanOrEqual(MINUTE);
    const pauses = times.slice(1).map((at, index) => at - (times[index] as number));
    expect(pauses.every((pause, index) => index === 0 || pause >= (pauses[index - 1] as number))).toBe(true);
    expect(times.length).toBeGreaterThan(5);
    expect(times.length).toBeLessThan(20);
  });

  it('are dialled for a minute after they were told last', async () => {
    scene.hinted(['gone@h:2']);
    await scene.pass(MINUTE / 2);
    scene.hinted(['gone@h:2'], 'other@h:1');
    await scene.pass(10 * MINUTE);
    expect(scene.dials.at(-1)?.at).toBeGreaterThan(MINUTE);
    expect(scene.dials.at(-1)?.at).toBeLessThanOrEqual(1.5 * MINUTE);
  });

  it('L15 are left alone when they are those of a peer that has just said goodbye', async () => {
    scene.hinted(['b@h:2']); // between the end of the session and its report
    scene.mesh.down('b@h:2', 'goodbye', '10.0.0.1');
    await scene.pass(10 * MINUTE);
    expect(scene.names()).toEqual([]);
  });
});

describe('a peer that is gone', () => {
  it('is dialled until it is back when it was lost', async () => {
    scene.up.add('b@h:2');
    scene.lose('b@h:2');
    await scene.pass(MINUTE);
    expect(scene.dials.length).toBeGreaterThan(3);
    scene.reachable.add('b@h:2');
    await scene.pass(MINUTE);
    expect(scene.up.has('b@h:2')).toBe(true);
    const count = scene.dials.length;
    await scene.pass(30 * MINUTE);
    expect(scene.dials).toHaveLength(count);
  });

  it('is dialled after random parts of 0.4 s, 0.8 s, … 30 s, for ten minutes', async () => {
    scene.lose('b@h:2');
    await scene.pass(60 * MINUTE);
    const times = [0, ...scene.dials.map(({ at }) => at)];
    const pauses = times.slice(1).map((at, index) => at - (times[index] as number));
    const longest = [400, 800, 1600, 3200, 6400, 12_800, 25_600]; // half of it: the random number is always 0.5
    expect(pauses.slice(0, 7)).toEqual(longest.map((ms) => ms / 2));
    expect(new Set(pauses.slice(7))).toEqual(new Set([15_000]));
    const last = times.at(-1) as number;
    expect([last >= 10 * MINUTE, last < 10 * MINUTE + 30_000]).toEqual([true, true]);
  });

  it('is left alone when it broke the protocol', async () => {
    scene.up.add('b@h:2');
    scene.lose('b@h:2', 'protocol');
    await scene.pass(MINUTE);
    expect(scene.dials).toEqual([]);
  });

  it('L5 is dialled after growing pauses when its sessions are short', async () => {
    scene.reachable.add('b@h:2');
    scene.up.add('b@h:2');
    scene.mesh.up('b@h:2');
    for (let waited = 0; waited < 10 * MINUTE; waited += 10) {
      if (scene.up.has('b@h:2')) scene.lose('b@h:2');
      await scene.pass(10);
    }
    expect(scene.dials.length).toBeLessThan(60);
    expect(scene.dials.length).toBeGreaterThan(20);
  });

  it('is dialled seldom, and not given up, while another node has our name there', async () => {
    scene.refusal = 'name_taken';
    scene.up.add('b@h:2');
    scene.lose('b@h:2', 'displaced');
    await scene.pass(5 * MINUTE);
    expect(scene.dials.length).toBeGreaterThan(5);
    expect(scene.dials.length).toBeLessThan(25);
    scene.reachable.add('b@h:2');
    await scene.pass(MINUTE);
    expect(scene.up.has('b@h:2')).toBe(true);
  });

  it('is given up after some minutes', async () => {
    scene.lose('b@h:2');
    await scene.pass(60 * MINUTE);
    expect(scene.dials.at(-1)?.at).toBeLessThan(12 * MINUTE);
    expect(scene.mesh.missing).toEqual([]);
  });

  it.each(['disconnect', 'goodbye'] as const)('L15 is not wanted any more after a %s', async (cause) => {
    scene.lose('b@h:2', cause);
    await scene.pass(10 * MINUTE);
    expect(scene.dials).toEqual([]);
  });
});

describe('names of lost peers that a member has made up', () => {
  const hostile = '10.0.0.66';
  beforeEach(() => {
    scene.slow = (name) => name.endsWith('@h:7');
    for (const name of madeUp(2 * MAX_LOST)) scene.lose(name, 'closed', hostile);
  });

  it('T14 are not dialled before another lost peer', async () => {
    await scene.pass(1000);
    expect(scene.dialling).toBeLessThan(MAX_LOST_DIALS);
    scene.reachable.add('good@h:2');
    scene.lose('good@h:2');
    await scene.pass(1000);
    expect(scene.up.has('good@h:2')).toBe(true);
  });

  it('T14 leave room for as many lost peers of other networks', () => {
    const honest = Array.from({ length: MAX_LOST / 2 }, (_, index) => `good${index}@h:2`);
    for (const name of honest) scene.lose(name);
    expect(scene.mesh.missing).toEqual(expect.arrayContaining(honest));
    expect(scene.mesh.missing).toHaveLength(MAX_LOST);
  });

  it('T14 delay nothing that a discovery finds or another peer lists', async () => {
    await scene.pass(1000);
    scene.reachable.add('found@h:2').add('listed@h:2');
    scene.mesh.found(['found@h:2']);
    scene.hinted(['listed@h:2']);
    await scene.pass(100);
    expect([...scene.up]).toEqual(['found@h:2', 'listed@h:2']);
  });
});

describe('a node that was disconnected', () => {
  it('is not dialled for hints, only when it is dialled on purpose', async () => {
    scene.up.add('b@h:2');
    scene.mesh.block('b@h:2');
    scene.lose('b@h:2', 'disconnect');
    scene.hinted(['b@h:2']);
    await scene.pass(MINUTE);
    expect(scene.dials).toEqual([]);
    scene.mesh.unblock('b@h:2');
    scene.hinted(['b@h:2']);
    await scene.pass(1000);
    expect(scene.names()).toContain('b@h:2');
  });

  it('is not dialled any more, whyever it was wanted; only a discovery dials it', async () => {
    scene.lose('lost@h:2');
    scene.hinted(['hint@h:2']);
    scene.mesh.found(['found@h:2']);
    await scene.pass(100);
    for (const name of ['lost@h:2', 'hint@h:2', 'found@h:2', 'later@h:2']) scene.mesh.block(name);
    scene.mesh.found(['found@h:2', 'later@h:2']);
    scene.dials.length = 0;
    await scene.pass(MINUTE);
    expect(new Set(scene.names())).toEqual(new Set(['found@h:2', 'later@h:2']));
    expect(scene.mesh.missing).toEqual(['found@h:2', 'later@h:2']);
  });

  it('is dialled again when it is lost after it has come back by itself', async () => {
    scene.mesh.block('b@h:2');
    scene.up.add('b@h:2');
    scene.mesh.up('b@h:2');
    scene.lose('b@h:2');
    await scene.pass(MINUTE);
    expect(scene.dials.length).toBeGreaterThan(0);
  });
});

describe('a node that was disconnected while its connection broke', () => {
  it('L15 is not dialled again', async () => {
    scene.up.add('b@h:2');
    scene.mesh.up('b@h:2');
    scene.mesh.block('b@h:2');
    scene.lose('b@h:2', 'closed');
    await scene.pass(10 * MINUTE);
    expect(scene.dials).toEqual([]);
  });
});

describe('a name where another cookie, version or name answers', () => {
  it('K6 is not dialled again for a hint, and seldom for a discovery', async () => {
    scene.refusal = 'cookie';
    scene.hinted(['b@h:2']);
    await scene.pass(MINUTE);
    expect(scene.dials).toHaveLength(1);
    scene.mesh.found(['c@h:2']);
    await scene.pass(MINUTE);
    expect(scene.dials.length).toBeLessThan(7);
  });
});

describe('names that a discovery found', () => {
  it('are dialled for as long as it names them, also after a goodbye', async () => {
    scene.mesh.found(['b@h:2']);
    await scene.pass(60 * MINUTE);
    expect(scene.dials.length).toBeGreaterThan(100);
    scene.reachable.add('b@h:2');
    await scene.pass(MINUTE);
    scene.lose('b@h:2', 'goodbye');
    await scene.pass(MINUTE);
    expect(scene.up.has('b@h:2')).toBe(true);
  });

  it('are dialled again when they were up and down before the dial was told of it', async () => {
    let told: (result: DialResult) => void = () => {};
    scene.dial = (name) => {
      scene.dials.push({ at: scene.time, name });
      return new Promise((resolve) => (told = resolve));
    };
    scene.mesh.found(['b@h:2']);
    await scene.pass(1000);
    scene.up.add('b@h:2');
    scene.mesh.up('b@h:2');
    scene.lose('b@h:2');
    told('up');
    await scene.pass(MINUTE);
    expect(scene.dials).toHaveLength(2);
  });

  it.each(['closed', 'goodbye', 'protocol'] as const)(
    'L5 are dialled with growing pauses when each session is soon over (%s)',
    async (cause) => {
      scene.reachable.add('b@h:2');
      scene.mesh.found(['b@h:2']);
      for (let waited = 0; waited < 10 * MINUTE; waited += 10) {
        await scene.pass(10);
        if (scene.up.has('b@h:2')) scene.lose('b@h:2', cause);
      }
      expect(scene.dials.length).toBeLessThan(60);
      await scene.pass(MINUTE); // it is up, and stays so
      const count = scene.dials.length;
      scene.lose('b@h:2', cause);
      await scene.pass(100);
      expect(scene.dials).toHaveLength(count + 1);
    },
  );

  it('are dialled again where peers of peers are not connected, and others are not', async () => {
    scene.reachable.add('b@h:2');
    scene.mesh.found(['b@h:2']);
    await scene.pass(MINUTE);
    scene.up.delete('b@h:2');
    scene.mesh.down('b@h:2', 'closed', '10.0.0.1', false);
    scene.mesh.down('c@h:2', 'closed', '10.0.0.1', false);
    await scene.pass(MINUTE);
    expect(scene.names()).toEqual(['b@h:2', 'b@h:2']);
  });

  it('T14 are all wanted, however many names peers have listed', () => {
    for (let peer = 0; peer < 8; peer++) scene.hinted(madeUp(512, 512 * peer), `x${peer}@h:1`);
    const found = Array.from({ length: MAX_LOST }, (_, index) => `f${index}@h:2`);
    scene.mesh.found(found);
    expect(scene.mesh.missing).toEqual(expect.arrayContaining(found));
    expect(scene.mesh.missing).toHaveLength(MAX_HINTS + MAX_LOST);
  });

  it('are dropped when it lists them no longer', async () => {
    scene.mesh.found(['b@h:2', 'c@h:2']);
    await scene.pass(1000);
    scene.mesh.found(['c@h:2']);
    await scene.pass(10 * MINUTE);
    expect(scene.mesh.missing).toEqual(['c@h:2']);
  });

  it('stay so when a peer lists them, too, or they were lost', async () => {
    scene.mesh.found(['b@h:2']);
    scene.hinted(['b@h:2']);
    scene.lose('b@h:2');
    await scene.pass(20 * MINUTE);
    expect(scene.mesh.missing).toEqual(['b@h:2']);
  });

  it('L15 are left alone after a goodbye when it has listed them no longer', async () => {
    scene.reachable.add('b@h:2');
    scene.mesh.found(['b@h:2']);
    await scene.pass(MINUTE);
    scene.mesh.found([]);
    scene.lose('b@h:2', 'goodbye');
    await scene.pass(10 * MINUTE);
    expect(scene.dials).toHaveLength(1);
  });

  it('are dialled at once when a session that they began themselves is lost', async () => {
    scene.mesh.found(['b@h:2']);
    await scene.pass(20 * MINUTE); // the pauses are long now
    scene.up.add('b@h:2');
    scene.mesh.up('b@h:2');
    await scene.pass(MINUTE);
    const count = scene.dials.length;
    scene.lose('b@h:2');
    await scene.pass(0);
    expect(scene.dials).toHaveLength(count + 1);
  });

  it('no node is dialled after the end, and nothing waits for a time', async () => {
    scene.mesh.found(['b@h:2']);
    scene.lose('d@h:2');
    scene.mesh.stop();
    scene.hinted(['c@h:2']);
    scene.lose('e@h:2');
    expect(scene.alarms).toEqual([]);
    await scene.pass(MINUTE);
    expect([scene.dials, scene.mesh.missing]).toEqual([[], []]);
  });
});
