// docs/wire.md is enough: a peer written from it alone (test/support/plain-peer.ts) is a full member of the cluster. Here:
// how it joins and leaves, and messages of every kind. Signals, calls and spawns: interop-signals.test.ts.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster, type ClusterNode, COOKIE } from '../support/cluster.ts';
import { until, within } from '../support/deadline.ts';
import { Meeting, type PidTerm, PLAIN } from '../support/meeting.ts';
import { PlainAcceptor, PlainPeer } from '../support/plain-peer.ts';
import {
  type PlainPid,
  type PlainRef,
  pidTerm,
  refTerm,
  structTerm,
  type Term,
  viewTerm,
} from '../support/plain-terms.ts';

let meeting: Meeting;
let node: ClusterNode;
let peer: PlainPeer;
const probe = (name: string): Promise<PlainPid> => meeting.probe(name);
beforeEach(async () => {
  meeting = await Meeting.arrange();
  ({ node, peer } = meeting);
});
afterEach(() => meeting[Symbol.asyncDispose]());

describe('the handshake', () => {
  it('K11 joins with a proof of the cookie, bound to the TLS connection', async () => {
    const facts = await node.run(async (bench) => [
      bench.node.nodes(),
      (await bench.event('nodeup')).map(([, name, each]) => [
        name,
        (each as { incarnation: bigint }).incarnation,
      ]),
    ]);
    expect(facts).toEqual([[PLAIN], [[PLAIN, peer.own.incarnation]]]);
    await probe('first');
    expect([...peer.announced.values()]).toContainEqual(peer.own); // the first frame after ACK
    expect(await node.run((bench) => bench.node.incarnation)).toBe(peer.peer.incarnation);
  });

  it('K11 takes a cookie of any script by its UTF-8', async () => {
    const cookie = 'Schlüssel – ключ – 鍵 – 𝄞';
    await using cluster = new Cluster();
    const other = await cluster.node({ name: 'other', cookie });
    await using plain = await PlainPeer.dial(
      Number(other.name.split(':')[1]),
      cookie,
      'plain@127.0.0.1:1',
      other.name,
    );
    await other.run((bench) => bench.event('nodeup'));
    expect(plain.peer.name).toBe(other.name);
  });

  it('is refused with another cookie', async () => {
    await expect(meeting.dial('stranger@127.0.0.1:8', 'another-cookie-0123456789abcdef')).rejects.toThrow(
      /refused with code 4/,
    );
    expect(await node.run((bench) => bench.node.nodes())).toEqual([PLAIN]);
  });

  it('works the other way round: the node dials, we accept', async () => {
    await using acceptor = await PlainAcceptor.listen('accepting', COOKIE);
    const connected = node.run((bench, name) => bench.node.connect(name), acceptor.own.name);
    await using accepted = await acceptor.accept();
    expect(await connected).toBe(true);
    expect(accepted.peer.name).toBe(node.name);
    await node.run(
      (bench, name) => bench.node.send({ name: 'somebody', node: name }, ['over', 'there']),
      acceptor.own.name,
    );
    expect(await accepted.next('REG_SEND')).toEqual(['somebody', ['over', 'there']]);
  });
});

describe('messages', () => {
  const values: readonly unknown[] = [
    undefined,
    null,
    true,
    false,
    0,
    63,
    64,
    -1,
    255,
    -32_768,
    2 ** 31 - 1,
    -(2 ** 31),
    2 ** 31,
    2 ** 53,
    -0,
    0.1,
    Number.NaN,
    Number.NEGATIVE_INFINITY,
    0n,
    -(2n ** 64n),
    2n ** 200n + 1n,
    '',
    'short',
    'é'.repeat(15),
    'x'.repeat(31),
    'x'.repeat(32),
    '💧'.repeat(300),
    '\ufeffbom\u0000',
    new Uint8Array(0),
    new Uint8Array([1, 2, 255]),
    [],
    [[[[1], 'two'], null]],
    {},
    { a: 1, b: { c: [undefined] } },
    Object.fromEntries(Array.from({ length: 70 }, (_, index) => [`key${index}`, index])),
    new Map<unknown, unknown>([
      [{ k: 1 }, 'v'],
      ['list', [1, 2]],
      [[1], new Map()],
    ]),
    new Set(['a', 1, null]),
    new Date(86_400_000.5 - 0.5),
  ];

  it('B11 carry terms of every kind both ways, exactly', async () => {
    const to = await probe('terms');
    for (const value of values) peer.send('SEND', to, value);
    const seen = await node.run((bench, count) => bench.box['terms'].count(count), values.length);
    expect(seen).toEqual(values);
    await node.run((bench) => {
      const it = bench.box['terms'];
      for (const message of it.messages ?? [])
        it.self.send({ name: 'us', node: bench.node.nodes()[0] ?? '' }, message);
    });
    const back = [];
    for (const _ of values) back.push((await peer.next('REG_SEND'))[1]);
    expect(back).toEqual(values);
    expect(peer.shapes.length).toBeGreaterThan(0);
  });

  it('B11 carry views and errors both ways', async () => {
    const to = await probe('rest');
    const floats = viewTerm(8, new Uint8Array(new Float64Array([1.5, -2]).buffer));
    const buffer = viewTerm(0, new Uint8Array([7]));
    const error = structTerm('RangeError', { message: 'too far', stack: 'here', code: 'E_FAR', cause: 1 });
    const other = structTerm('Whatever', { x: [1] });
    peer.send('SEND', to, [floats, buffer, error, other]);
    const seen = await node.run(async (bench) => {
      const it = bench.box['rest'];
      const [message] = (await it.count(1)) as [
        [Float64Array, ArrayBuffer, RangeError & { code: string; cause: unknown }, object],
      ];
      const [view, raw, range] = message;
      it.self.send({ name: 'us', node: bench.node.nodes()[0] ?? '' }, message);
      const { code, cause } = range;
      return [view, raw, range instanceof RangeError, range.message, range.stack, code, cause];
    });
    const raw = new Uint8Array([7]).buffer;
    expect(seen).toEqual([new Float64Array([1.5, -2]), raw, true, 'too far', 'here', 'E_FAR', 1]);
    expect((await peer.next('REG_SEND'))[1]).toEqual([floats, buffer, error, other]);
  });

  it('M5, M6 carry PIDs of both sides and of third nodes, and references', async () => {
    const to = await probe('pids');
    const third = await meeting.cluster.node({ name: 'third' });
    await third.run(async (bench) => void (bench.box['far'] = await bench.probe('far')));
    await third.run((bench, name) => {
      const it = bench.box['far'];
      it.self.send({ name: 'pids', node: name }, it.pid as never);
    }, node.name);
    await node.run(async (bench) => {
      const it = bench.box['pids'];
      const [far] = (await it.count(1)) as [never];
      it.self.send(
        { name: 'us', node: bench.node.nodes().find((each) => each.startsWith('plain')) ?? '' },
        far,
      );
    });
    const far = ((await peer.next('REG_SEND'))[1] as PidTerm).value;
    expect(peer.identityOf(far).name).toBe(third.name);

    const ref: PlainRef = { owner: peer.mine(5), id: 77 };
    peer.send('SEND', to, [pidTerm(peer.ours(far)), pidTerm(to), pidTerm(peer.mine(5)), refTerm(ref)]);
    const seen = await node.run(async (bench, name) => {
      const it = bench.box['pids'];
      const [far, message] = (await it.count(2)) as [
        { equals(x: unknown): boolean },
        [object, object, never, never],
      ];
      const [first, own, theirs] = message;
      it.self.send(first as never, 'through us' as never);
      it.self.send(theirs, message as never);
      return [far.equals(first), own === it.pid, bench.node.nodeOf(theirs) === name];
    }, PLAIN);
    expect(seen).toEqual([true, true, true]);
    await third.run((bench) =>
      bench.probes
        .get('far')
        ?.count(1)
        .then(() => undefined),
    );
    const [back, message] = await peer.next('SEND');
    expect(peer.ours(back as PlainPid)).toEqual(peer.mine(5));
    const returned = (message as [PidTerm, PidTerm, PidTerm, Term<'ref', PlainRef>])[3];
    expect(peer.refOf(returned.value)).toEqual(ref);
  });

  it('B11 travel in fragments both ways', async () => {
    const to = await probe('big');
    const text = 'wide and long '.repeat(40_000);
    peer.send('SEND', to, ['fragments', text]);
    peer.send('SEND', to, 'behind');
    await node.run(async (bench, name) => {
      const it = bench.box['big'];
      for (const message of (await it.count(2)) ?? []) it.self.send({ name: 'us', node: name }, message);
    }, PLAIN);
    expect(await peer.next('REG_SEND')).toEqual(['us', ['fragments', text]]);
    expect(await peer.next('REG_SEND')).toEqual(['us', 'behind']);
    expect(peer.fragments).toBeGreaterThanOrEqual(Math.ceil(text.length / 131_072));
  });

  it('G7 reach an alias while it lasts', async () => {
    await probe('aliased');
    await node.run((bench, name) => {
      const it = bench.box['aliased'];
      it.self.send({ name: 'us', node: name }, it.self.alias('reply'));
    }, PLAIN);
    const alias = ((await peer.next('REG_SEND'))[1] as Term<'ref', PlainRef>).value;
    peer.send('ALIAS_SEND', peer.refOf(alias), 'first');
    peer.send('ALIAS_SEND', peer.refOf(alias), 'late');
    peer.send('REG_SEND', 'aliased', 'end');
    const seen = await node.run((bench) => bench.box['aliased'].count(2));
    expect(seen).toEqual(['first', 'end']);
  });
});

describe('the life of a session', () => {
  it('L9 ends in order with GOODBYE, whoever says it', async () => {
    peer.send('GOODBYE', 5);
    const down = await node.run((bench) => bench.event('nodedown'));
    expect(down.map(([, name, cause]) => [name, cause])).toEqual([[PLAIN, 'goodbye']]);
    await peer.close();
    peer = meeting.peer = await meeting.dial();
    await node.run((bench) => bench.node.stop());
    expect(await peer.next('GOODBYE')).toHaveLength(1);
    await within('the end of the connection', peer.over);
  });

  it('answers PING with PONG, and is kept alive by ours', async () => {
    const other = await meeting.cluster.node({ name: 'ticking', tickMs: 100, downMs: 3000 });
    await using ticked = await PlainPeer.dial(
      await other.run((bench) => bench.node.port),
      COOKIE,
      PLAIN,
      other.name,
    );
    ticked.send('PING', 123_456_789, 7);
    expect((await ticked.next('PONG'))[0]).toBe(123_456_789);
    // The node sends nothing but PINGs now, one in 100 ms; our answers keep it up for longer than its limit.
    await until('forty PINGs', () => ticked.pings >= 40);
    expect(await other.run((bench) => bench.node.nodes())).toEqual([PLAIN]);
  });

  it('K11 skips optional tags, and ends at an unknown one that is not', async () => {
    peer.write(0x80, Buffer.from('of a later version'));
    peer.write(0xbf, Buffer.alloc(0));
    await probe('still there');
    peer.write(0x7f, Buffer.alloc(0));
    const down = await node.run((bench) => bench.event('nodedown'));
    expect(down.map(([, name, cause]) => [name, cause])).toEqual([[PLAIN, 'protocol']]);
  });
});
