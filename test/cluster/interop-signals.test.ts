// docs/wire.md is enough, second part: links, monitors, calls and spawns between a node and a peer that knows only the
// document.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClusterNode } from '../support/cluster.ts';
import { Meeting, type PidTerm, PLAIN } from '../support/meeting.ts';
import type { PlainPeer } from '../support/plain-peer.ts';
import { type PlainPid, type PlainRef, pidTerm } from '../support/plain-terms.ts';

type AnySelf = import('../../ts/index.ts').Self<unknown>;

const NOTHING: PlainRef = { owner: { slot: 0, creation: 0, local: 0 }, id: 0 };
/** States of replies and of spawns, as section 6 lists them. */
const OK = 0;
const FAILED_HANDLER = 1;
const FAILED = 1;
const NOPROC = 2;
const UNKNOWN_REQUEST = 6;
const UNKNOWN_FUNCTION = 1;
const START_REFUSED = 2;

let meeting: Meeting;
let node: ClusterNode;
let peer: PlainPeer;
const probe = (name: string): Promise<PlainPid> => meeting.probe(name);
beforeEach(async () => {
  meeting = await Meeting.arrange();
  ({ node, peer } = meeting);
});
afterEach(() => meeting[Symbol.asyncDispose]());

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

  it('C12, C14 of theirs to ours are told, unlinked and acknowledged; the old link never affects a new one', async () => {
    const to = await probe('linking');
    const act = (...verbs: ('link' | 'unlink')[]): Promise<void> =>
      node.run(async (bench, all) => {
        const it = bench.box['linking'];
        const [ours] = (await it.count(1)) as [never];
        for (const verb of all) it.self[verb](ours);
      }, verbs);
    const messages = (count: number): Promise<unknown> =>
      node.run(
        async (bench, least) =>
          (await bench.box['linking'].count(least))
            .slice(1)
            .map((message: { reason?: unknown }) => message.reason ?? message),
        count,
      );
    peer.send('SEND', to, pidTerm(peer.mine(9)));
    await act('link');
    const [from, mine] = await peer.next('LINK');
    expect([peer.ours(from as PlainPid), peer.ours(mine as PlainPid)]).toEqual([to, peer.mine(9)]);
    await act('unlink', 'link');
    const [, , id] = await peer.next('UNLINK');
    await peer.next('LINK');
    peer.send('EXIT', peer.mine(9), to, 'old'); // sent before we saw the UNLINK, as it were
    peer.send('UNLINK_ACK', peer.mine(9), to, id);
    peer.send('SEND', to, 'still linked');
    expect(await messages(2)).toEqual(['still linked']);
    peer.send('EXIT', peer.mine(9), to, 'new');
    expect(await messages(3)).toEqual(['still linked', 'new']);

    await act('link');
    await peer.next('LINK');
    for (const each of [12, 2n ** 53n + 1n, 2n ** 64n - 1n]) {
      peer.send('UNLINK', peer.mine(9), to, each);
      expect(await peer.next('UNLINK_ACK')).toEqual([from, mine, each]);
    }
    peer.send('EXIT', peer.mine(9), to, 'late');
    peer.send('SEND', to, 'end');
    expect(await messages(4)).toEqual(['still linked', 'new', 'end']);
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
          ['ask', 'break', 'fail'].map((tag) =>
            bench.snow
              .callWith(bench.node, { timeout: 60_000 }, { name: 'ours', node: name }, tag, 1, 'two')
              .catch((error: { state: string; code: string; reason: unknown }) => [
                error.state,
                error.code,
                error.reason,
              ]),
          ),
        ),
      PLAIN,
    );
    for (const [status, value] of [
      [OK, { answer: 42 }],
      [NOPROC, undefined],
      [FAILED, { error: { name: 'Error', message: 'broken' }, stack: '' }],
    ]) {
      const [, ref, ms, name, request] = await peer.next('REG_CALL');
      expect(ms).toBeLessThanOrEqual(60_000);
      expect([name, (request as unknown[])[1]]).toEqual(['ours', [1, 'two']]);
      peer.send('REPLY', peer.refOf(ref as PlainRef), status, value);
    }
    const reason = { error: { name: 'Error', message: 'broken' }, stack: '' };
    expect(await asked).toEqual([
      { answer: 42 },
      ['noproc', 'SNOW_ERR_CALL_NOPROC', undefined],
      ['error', 'SNOW_ERR_CALL_ERROR', reason],
    ]);
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

  it('N7, T12 of ours with odd arguments are refused, and nobody answers for another node', async () => {
    const request = (id: number): PlainRef => ({ owner: peer.mine(2), id });
    await node.run((bench) =>
      bench.node.expose(bench.snow.defineActor('anything', async (_self: AnySelf) => {}) as never),
    );
    for (const [at, args] of [null, 'list', { 0: 1 }, 5].entries()) {
      peer.send('SPAWN', peer.mine(2), request(at), 0, NOTHING, 'anything', args);
      expect((await peer.next('SPAWN_REPLY')).slice(2, 3)).toEqual([START_REFUSED]);
    }
    await using other = await meeting.dial('other@127.0.0.1:8');
    const spawned = node.run(async (bench, name) => {
      const { self } = await bench.probe();
      const { pid } = await self.spawnOn(
        name,
        bench.snow.defineActor('x', async () => {}),
        [],
      );
      return bench.node.nodeOf(pid);
    }, PLAIN);
    const [from, asked] = (await peer.next('SPAWN')) as [PlainPid, PlainRef];
    // The parent and the request are the node's own: under slot 1, for this peer as for the other.
    other.send('SPAWN_REPLY', peer.ours(from), peer.refOf(asked), OK, other.mine(1), undefined);
    other.send('REG_SEND', 'nobody', 'behind it');
    await node.run((bench) => bench.until('the answer', () => bench.node.stats().deadLetters.no_name > 0));
    peer.send('SPAWN_REPLY', peer.ours(from), peer.refOf(asked), OK, peer.mine(1), undefined);
    expect(await spawned).toBe(PLAIN);
  });
});
