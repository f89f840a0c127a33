// docs/wire.md is enough: a peer written from it alone (test/support/plain-peer.ts) is a full member of the cluster.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cluster, type ClusterNode, COOKIE } from '../support/cluster.ts';
import { until, within } from '../support/deadline.ts';
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

type AnySelf = import('../../ts/index.ts').Self<unknown>;

/** A PID that stands in a message is a term of its own. */
type PidTerm = Term<'pid', PlainPid>;
const PLAIN = 'plain@127.0.0.1:7';
const NOTHING: PlainRef = { owner: { slot: 0, creation: 0, local: 0 }, id: 0 };
/** Reply states and spawn states, as section 6 lists them. */
const OK = 0;
const FAILED_HANDLER = 1;
const NOPROC = 2;
const UNKNOWN_REQUEST = 6;
const UNKNOWN_FUNCTION = 1;

let cluster: Cluster;
let node: ClusterNode;
let peer: PlainPeer;
beforeEach(async () => {
  cluster = new Cluster();
  node = await cluster.node({ name: 'real' });
  peer = await dial();
});
afterEach(async () => {
  await peer.close();
  await cluster.stop();
});

const dial = async (name = PLAIN, cookie = COOKIE): Promise<PlainPeer> =>
  PlainPeer.dial(await node.run((bench) => bench.node.port), cookie, name, node.name);

/** Starts a recording actor on the node, which says hello to our actor 1; its PID, as we write it. */
async function probe(name: string): Promise<PlainPid> {
  peer.send('REG_SEND', 'nobody', 'is lost without a word');
  await node.run(async (bench, label) => void (bench.box[label] = await bench.probe(label, true)), name);
  peer.send('REG_SEND', name, pidTerm(peer.mine(1)));
  await node.run(async (bench, label) => {
    const it = bench.box[label];
    const [to] = (await it.count(1)) as [never];
    it.self.send(to, it.pid as never);
    it.messages.splice(0);
  }, name);
  const [to, hello] = await peer.next('SEND');
  expect(to).toMatchObject({ local: 1 });
  return peer.ours((hello as PidTerm).value);
}

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

  it('is refused with another cookie', async () => {
    await expect(dial('stranger@127.0.0.1:8', 'another-cookie-0123456789abcdef')).rejects.toThrow(
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
    const third = await cluster.node({ name: 'third' });
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

describe('links', () => {
  it('C3, C5 of ours to theirs carry our EXIT, and theirs to us', async () => {
    const to = await probe('linked');
    peer.send('LINK', peer.mine(1), to);
    peer.send('EXIT', peer.mine(1), to, { our: 'reason' });
    const seen = await node.run(async (bench) => {
      const [exit] = (await bench.box['linked'].count(1)) as [{ reason: unknown; from: never }];
      return [exit instanceof bench.snow.Exit, exit.reason, bench.node.nodeOf(exit.from)];
    });
    expect(seen).toEqual([true, { our: 'reason' }, PLAIN]);
    peer.send('LINK', peer.mine(2), to);
    peer.send('EXIT2', peer.mine(3), to, 'kill');
    const [from, partner, reason] = await peer.next('EXIT');
    expect(peer.ours(from as PlainPid)).toEqual(to);
    expect(peer.ours(partner as PlainPid)).toEqual(peer.mine(2));
    expect(reason).toBe('killed');
    peer.send('LINK', peer.mine(4), to);
    expect((await peer.next('EXIT'))[2]).toBe('noproc'); // C9
  });

  it('C12 of theirs to ours are told, unlinked and acknowledged', async () => {
    const to = await probe('linking');
    const act = (what: 'link' | 'unlink'): Promise<void> =>
      node.run(async (bench, verb) => {
        const it = bench.box['linking'];
        const [ours] = (await it.count(1)) as [never];
        it.self[verb](ours);
      }, what);
    peer.send('SEND', to, pidTerm(peer.mine(9)));
    await act('link');
    const [from, mine] = await peer.next('LINK');
    expect([peer.ours(from as PlainPid), peer.ours(mine as PlainPid)]).toEqual([to, peer.mine(9)]);
    await act('unlink');
    const [, , id] = await peer.next('UNLINK');
    peer.send('EXIT', peer.mine(9), to, 'crossing'); // ignored: the link is being taken down
    peer.send('UNLINK_ACK', peer.mine(9), to, id);
    await act('link');
    await peer.next('LINK');
    peer.send('UNLINK', peer.mine(9), to, 12);
    expect(await peer.next('UNLINK_ACK')).toEqual([from, mine, 12]);
    peer.send('SEND', to, 'end');
    const seen = await node.run(async (bench) => (await bench.box['linking'].count(2))?.[1]);
    expect(seen).toBe('end');
  });
});

describe('monitors', () => {
  it('D1, D2, D7 of ours on theirs fire once, with the reason; not after DEMONITOR', async () => {
    const to = await probe('watched');
    const ref = (id: number): PlainRef => ({ owner: peer.mine(1), id });
    peer.send('MONITOR', peer.mine(1), ref(1), to);
    peer.send('MONITOR', peer.mine(1), ref(2), 'watched');
    peer.send('MONITOR', peer.mine(1), ref(3), to);
    peer.send('DEMONITOR', peer.mine(1), ref(3));
    peer.send('MONITOR', peer.mine(1), ref(4), 'nobody');
    const first = await peer.next('MONITOR_EXIT');
    expect([peer.refOf(first[1] as PlainRef), first[2]]).toEqual([ref(4), 'noproc']);
    peer.send('EXIT2', peer.mine(1), to, 'kill');
    const rest = [await peer.next('MONITOR_EXIT'), await peer.next('MONITOR_EXIT')];
    expect(rest.map(([, each, reason]) => [peer.refOf(each as PlainRef), reason])).toEqual([
      [ref(1), 'killed'],
      [ref(2), 'killed'],
    ]);
    expect(peer.waiting('MONITOR_EXIT')).toBe(0);
  });

  it('D1, D3 of theirs on ours, by PID and by name, are DOWN with our reason', async () => {
    const to = await probe('watcher');
    peer.send('SEND', to, pidTerm(peer.mine(6)));
    await node.run(async (bench, name) => {
      const it = bench.box['watcher'];
      const [ours] = (await it.count(1)) as [never];
      it.self.monitor(ours);
      it.self.monitor({ name: 'ours', node: name });
    }, PLAIN);
    const [from, byPid, target] = await peer.next('MONITOR');
    const [, byName, name] = await peer.next('MONITOR');
    expect([peer.ours(target as PlainPid), name]).toEqual([peer.mine(6), 'ours']);
    const watcher = peer.ours(from as PlainPid);
    peer.send('MONITOR_EXIT', watcher, peer.refOf(byPid as PlainRef), ['gone', 1]);
    peer.send('MONITOR_EXIT', watcher, peer.refOf(byName as PlainRef), 'noproc');
    const seen = await node.run(async (bench) => {
      const all = (await bench.box['watcher'].count(3)) as { reason: unknown }[];
      return all.slice(1).map((down) => [down instanceof bench.snow.Down, down.reason]);
    });
    expect(seen).toEqual([
      [true, ['gone', 1]],
      [true, 'noproc'],
    ]);
  });
});

describe('calls', () => {
  it('G4 of ours to theirs are answered: value, error, noproc', async () => {
    await node.run(async (bench) => {
      const server = bench.snow.defineServer({
        name: 'server',
        init: () => 0,
        calls: {
          double: (_context: unknown, by: number) => by * 2,
          fail: () => {
            throw new RangeError('no');
          },
        },
      });
      bench.box['server'] = await server.startWith(bench.node, { name: 'server' });
      bench.node.send({ name: 'us', node: bench.node.nodes()[0] ?? '' }, bench.box['server']);
    });
    const server = peer.ours(((await peer.next('REG_SEND'))[1] as PidTerm).value);
    const ref = (id: number): PlainRef => ({ owner: peer.mine(3), id });
    peer.send('CALL', peer.mine(3), ref(1), 5000, server, ['double', [21], []]);
    peer.send('REG_CALL', peer.mine(3), ref(2), 2 ** 32 - 1, 'server', [
      'double',
      [4],
      [pidTerm(peer.mine(3))],
    ]);
    peer.send('REG_CALL', peer.mine(3), ref(3), 5000, 'nobody', ['x', [], []]);
    const replies = [await peer.next('REPLY'), await peer.next('REPLY'), await peer.next('REPLY')];
    expect(replies.map(([each, ...rest]) => [peer.refOf(each as PlainRef).id, ...rest]).sort()).toEqual([
      [1, OK, 42],
      [2, OK, 8],
      [3, NOPROC, undefined],
    ]);
    for (const odd of [null, 'double', ['double'], [1, [], []], ['double', [1], ['nobody', null]]]) {
      peer.send('CALL', peer.mine(3), ref(5), 5000, server, odd);
      expect((await peer.next('REPLY'))[1]).toBe(UNKNOWN_REQUEST);
    }
    peer.send('CALL', peer.mine(3), ref(4), 5000, server, ['fail', [], []]);
    const [, status, reason] = await peer.next('REPLY');
    expect([status, (reason as { error: unknown }).error]).toEqual([
      expect.toBeOneOf([FAILED_HANDLER, 3]),
      { name: 'RangeError', message: 'no' },
    ]);
  });

  it('G4 of theirs to ours carry tag and arguments, and take our answer or error', async () => {
    const asked = node.run(
      (bench, name) =>
        Promise.all(
          ['ask', 'break'].map((tag) =>
            bench.node
              .call({ name: 'ours', node: name }, tag, [1, 'two'], { timeout: 9000 })
              .catch((error: { state: string; reason: unknown }) => [error.state, error.reason]),
          ),
        ),
      PLAIN,
    );
    for (const [status, value] of [
      [OK, { answer: 42 }],
      [NOPROC, undefined],
    ]) {
      const [, ref, ms, name, request] = await peer.next('REG_CALL');
      expect(ms).toBeLessThanOrEqual(9000);
      expect([name, (request as unknown[])[1]]).toEqual(['ours', [1, 'two']]);
      peer.send('REPLY', peer.refOf(ref as PlainRef), status, value);
    }
    expect(await asked).toEqual([{ answer: 42 }, ['noproc', undefined]]);
  });
});

describe('spawns', () => {
  it('N2, N5 of ours start what is exposed there, linked and monitored', async () => {
    await node.run((bench) =>
      bench.node.expose(
        bench.snow.defineActor('leaver', async (self: AnySelf, reason: unknown) =>
          self.exit(reason),
        ) as never,
      ),
    );
    const request = (id: number): PlainRef => ({ owner: peer.mine(2), id });
    peer.send('SPAWN', peer.mine(2), request(1), 3, request(2), 'leaver', ['at once']);
    const [to, asked, status, child] = await peer.next('SPAWN_REPLY');
    expect([peer.ours(to as PlainPid), peer.refOf(asked as PlainRef), status]).toEqual([
      peer.mine(2),
      request(1),
      OK,
    ]);
    expect((await peer.next('EXIT'))[2]).toBe('at once');
    const [, ref, reason] = await peer.next('MONITOR_EXIT');
    expect([peer.refOf(ref as PlainRef), reason]).toEqual([request(2), 'at once']);
    expect((child as PlainPid).slot).toBe(0);
    peer.send('SPAWN', peer.mine(2), request(3), 0, NOTHING, 'toString', []);
    expect((await peer.next('SPAWN_REPLY')).slice(2, 3)).toEqual([UNKNOWN_FUNCTION]);
  });

  it('N5 of theirs are our business: we reply with a PID, then tell its end', async () => {
    const spawned = node.run(async (bench, name) => {
      const it = await bench.probe();
      const spec = bench.snow.defineActor('ours', async (_self: AnySelf, _a: number) => {});
      const { pid, ref } = await it.self.spawnOn(name, spec, [5], { monitor: true });
      const [down] = (await it.count(1)) as [{ ref: unknown; reason: unknown }];
      return [bench.node.nodeOf(pid), ref === down.ref || ref?.equals(down.ref as never), down.reason];
    }, PLAIN);
    const [from, request, flags, monitor, name, args] = await peer.next('SPAWN');
    expect([flags, name, args]).toEqual([2, 'ours', [5]]);
    const parent = peer.ours(from as PlainPid);
    peer.send('SPAWN_REPLY', parent, peer.refOf(request as PlainRef), OK, peer.mine(50), undefined);
    peer.send('MONITOR_EXIT', parent, peer.refOf(monitor as PlainRef), 'done');
    expect(await spawned).toEqual([PLAIN, true, 'done']);
  });
});

describe('the life of a session', () => {
  it('L9 ends in order with GOODBYE, whoever says it', async () => {
    peer.send('GOODBYE', 5);
    const down = await node.run((bench) => bench.event('nodedown'));
    expect(down.map(([, name, cause]) => [name, cause])).toEqual([[PLAIN, 'goodbye']]);
    await peer.close();
    peer = await dial();
    await node.run((bench) => bench.node.stop());
    expect(await peer.next('GOODBYE')).toHaveLength(1);
    await within('the end of the connection', peer.over);
  });

  it('answers PING with PONG, and is kept alive by ours', async () => {
    const other = await cluster.node({ name: 'ticking', tickMs: 100, downMs: 1000 });
    await using ticked = await PlainPeer.dial(
      await other.run((bench) => bench.node.port),
      COOKIE,
      PLAIN,
      other.name,
    );
    ticked.send('PING', 123_456_789, 7);
    expect((await ticked.next('PONG'))[0]).toBe(123_456_789);
    // The node sends nothing but PINGs now, one in 100 ms; our answers keep it up for longer than its limit.
    await until('thirty PINGs', () => ticked.pings >= 30);
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
