// What the native core refuses, and with which code: numbers of nodes, lanes, and what the system does not give it.
import { spawn } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { BatchAnswer } from '../../bindings/index.ts';
import { childCommand, hasSignals, watch } from '../support/child.ts';
import { until } from '../support/deadline.ts';
import { RawLane, RawNode } from './raw-node.ts';

/** Pairs of name and incarnation that a node numbers. */
const PAIRS = 262_144;
const LANES = 64;

let node: RawNode | undefined;
afterEach(async () => {
  const open = node;
  node = undefined;
  open?.native.ref(open.handle);
  await open?.close();
});

const coded = (code: string, message: RegExp): Error =>
  expect.objectContaining({ code, message: expect.stringMatching(message) }) as Error;

describe('a node', () => {
  it('SNOW_ERR_TOO_MANY_NODES: numbers 262 144 nodes and no more; those that it knows keep theirs', () => {
    const { native, handle } = (node = new RawNode());
    const first = native.numberOf(handle, 'n1@host:1', 1n);
    for (let name = 2; name <= PAIRS; name++) native.numberOf(handle, `n${name}@host:1`, 1n);
    const refused = coded('SNOW_ERR_TOO_MANY_NODES', /^more than \d+ node identities are known$/);
    expect(() => native.numberOf(handle, 'one-more@host:1', 1n)).toThrow(refused);
    expect(native.numberOf(handle, 'n1@host:1', 1n)).toBe(first);
  });

  it('SNOW_ERR_TOO_MANY_LANES: takes 64 lanes, and another one when one has left', () => {
    const { native, handle } = (node = new RawNode());
    const join = (): number => {
      const lane = new RawLane();
      return native.attach(handle, lane.rx, lane.onBatch);
    };
    const joined = Array.from({ length: LANES - 1 }, join);
    expect(joined).toEqual(Array.from({ length: LANES - 1 }, (_, at) => at + 1));
    expect(join).toThrow(coded('SNOW_ERR_TOO_MANY_LANES', /^a node has at most 64 lanes$/));
    native.detach(handle, 7);
    expect(join()).toBe(7);
    expect(join).toThrow(coded('SNOW_ERR_TOO_MANY_LANES', /64/));
    for (const lane of joined) native.detach(handle, lane);
  });
});

it('a lane that is detached inside of a batch ends after the call that the batch asked for', async () => {
  const { native, handle, name, port } = (node = new RawNode());
  const attach = (lane: RawLane): number => native.attach(handle, lane.rx, lane.onBatch);
  const [lane, next] = [new RawLane(), new RawLane()];
  const calls: unknown[] = [];
  lane.answer = BatchAnswer.CALL_AGAIN;
  lane.onEmpty = () => void calls.push('again');
  lane.onEntry = () => {
    native.detach(handle, 1);
    if (calls.length === 0) calls.push(attach(next)); // the first still has its place
    return false;
  };
  expect(attach(lane)).toBe(1);
  const peer = new RawNode({ name: 'b@127.0.0.1:0' });
  await peer.connect(name, port);
  await until('the call after the batch', () => calls.includes('again'));
  expect(calls).toEqual([2, 'again']);
  native.detach(handle, 2);
  expect(attach(new RawLane())).toBe(1);
  await peer.close();
});

it.skipIf(!hasSignals)(
  'SNOW_ERR_NATIVE_FAULT: names what the system refused, and leaves nothing open',
  async () => {
    const files = 'ulimit -n 100 && exec "$0" "$@"';
    const command = [files, process.execPath, ...childCommand(new URL('./few-files.ts', import.meta.url))];
    const child = watch(spawn('sh', ['-c', ...command]));
    expect(await child.exit()).toEqual({ code: 0, signal: null });
    type Refusal = { code: string; message: string };
    const { outcomes, watchdog } = JSON.parse(child.stdout()) as {
      outcomes: (Refusal & { free: number; left: number })[];
      watchdog: Refusal;
    };
    expect(watchdog).toEqual({
      code: 'SNOW_ERR_NATIVE_FAULT',
      message: expect.stringMatching(/^the signal watchdog cannot start: Too many open files/) as string,
    });
    const codes = new Set(outcomes.map(({ code }) => code));
    expect([...codes]).toEqual(['SNOW_ERR_LISTEN', 'SNOW_ERR_NATIVE_FAULT', 'open']);
    for (const { free, code, message, left } of outcomes) {
      if (code !== 'open') expect(message).toMatch(/Too many open files/);
      expect(left).toBeGreaterThanOrEqual(free); // more: Node.js has closed something meanwhile
    }
  },
);
