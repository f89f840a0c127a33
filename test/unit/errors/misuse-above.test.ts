// The walk of misuse.test.ts over what stands above a node: groups, global names, registries, rooms, and the test kit.
import { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Node } from '../../../ts/index.ts';
import * as api from '../../../ts/index.ts';
import { Connection } from '../../../ts/rooms/connection.ts';
import { createRooms, Rooms } from '../../../ts/rooms/index.ts';
import { Probe, startTestRuntime, TestRuntime } from '../../../ts/testing/index.ts';
import {
  casesOf,
  type Misspelt,
  methodsOf,
  mustRefuse,
  OPTIONAL,
  type Row,
  SENDABLE,
  type Wrong,
} from './misuse.ts';

interface Stage {
  readonly pid: Wrong;
  readonly groups: Wrong;
  readonly names: Wrong;
  readonly registry: Wrong;
  readonly rooms: Wrong;
  readonly connection: Wrong;
  readonly kit: Wrong;
  readonly probe: Wrong;
}

let node: Node;
let rooms: Rooms;
let connection: Connection;
let groups: api.Groups;
let names: api.GlobalNames;
beforeAll(async () => {
  node = await api.startNode({ logger: api.silentLogger });
  groups = api.startGroups(node);
  names = api.startGlobalNames(node);
  rooms = createRooms(node);
  connection = rooms.accept(socket());
});
afterAll(() => node.stop({ timeout: 0 }));

const socket = (): Wrong => ({
  readyState: 1,
  bufferedAmount: 0,
  protocol: '',
  send() {},
  close() {},
  on() {},
});
const idle = async (): Promise<void> => new Promise(() => {});

async function stage(): Promise<Stage> {
  const kit = startTestRuntime();
  const probe = await kit.probe();
  const registry = new api.DuplicateRegistry(node);
  return { pid: node.spawn(idle), groups, names, registry, rooms, connection, kit, probe };
}

const ON_GROUPS: readonly Row<Stage>[] = [
  ['startGroups', (_, x) => api.startGroups(x)],
  [
    'startGroups',
    (_, x) => api.startGroups(node, { ...x, scope: 'other' }),
    ['undefined', 'null', 5, '{}', 'promise'],
  ],
  ['startGroups', (_, x) => api.startGroups(node, { scope: x }), ['undefined', 'text']],
  ['join', ({ groups: g, pid }, x) => g.join(x, pid), ['text']],
  ['join', ({ groups: g }, x) => g.join('g', x)],
  ['join', ({ groups: g }, x) => g.join('g', [x])],
  ['leave', ({ groups: g, pid }, x) => g.leave(x, pid), ['text']],
  ['leave', ({ groups: g }, x) => g.leave('g', x)],
  ['members', ({ groups: g }, x) => g.members(x), ['text']],
  ['of', ({ groups: g }, x) => g.of(x), ['text']],
  ['localMembers', ({ groups: g }, x) => g.localMembers(x), ['text']],
  ['broadcast', ({ groups: g }, x) => g.broadcast(x, 1), ['text']],
  ['broadcast', ({ groups: g }, x) => g.broadcast('g', x), SENDABLE],
  ['broadcast', ({ groups: g }, x) => g.broadcast('g', 1, x), ['undefined']],
  ['broadcastLocal', ({ groups: g }, x) => g.broadcastLocal(x, 1), ['text']],
  ['broadcastLocal', ({ groups: g }, x) => g.broadcastLocal('g', x), SENDABLE],
  ['monitor', ({ groups: g, pid }, x) => g.monitor(x, pid), ['text']],
  ['monitor', ({ groups: g }, x) => g.monitor('g', x)],
  ['monitorAll', ({ groups: g }, x) => g.monitorAll(x)],
  ['demonitor', ({ groups: g }, x) => g.demonitor(x)],
];

const ON_NAMES: readonly Row<Stage>[] = [
  ['startGlobalNames', (_, x) => api.startGlobalNames(x)],
  ['startGlobalNames', (_, x) => api.startGlobalNames(node, x), OPTIONAL],
  ['startGlobalNames', (_, x) => api.startGlobalNames(node, { onConflict: x }), ['undefined']],
  ['register', ({ names: n, pid }, x) => n.register(x, pid), ['text']],
  ['register', ({ names: n }, x) => n.register('n', x)],
  ['reregister', ({ names: n, pid }, x) => n.reregister(x, pid), ['text']],
  ['reregister', ({ names: n }, x) => n.reregister('n', x)],
  ['unregister', ({ names: n }, x) => n.unregister(x), ['text']],
  ['whereis', ({ names: n }, x) => n.whereis(x), ['text']],
  ['send', ({ names: n }, x) => n.send(x, 1), ['text']],
];

const ON_REGISTRY: readonly Row<Stage>[] = [
  ['constructor', (_, x) => new api.DuplicateRegistry(x)],
  ['register', ({ registry, pid }, x) => registry.register(x, pid), ['text', 5]],
  ['register', ({ registry }, x) => registry.register('k', x)],
  ['register', ({ registry, pid }, x) => registry.register('k', pid, x), SENDABLE],
  ['unregister', ({ registry, pid }, x) => registry.unregister(x, pid), ['text', 5]],
  ['unregister', ({ registry }, x) => registry.unregister('k', x)],
  ['lookup', ({ registry }, x) => registry.lookup(x), ['text', 5]],
  ['keys', ({ registry }, x) => registry.keys(x)],
  ['dispatch', ({ registry }, x) => registry.dispatch(x, () => {}), ['text', 5]],
  ['dispatch', ({ registry }, x) => registry.dispatch('k', x)],
];

/** What JSON can say, or text. */
const SAYABLE = ['null', 5, 'text', '{}', 'promise'] as const;
const ON_ROOMS: readonly Row<Stage>[] = [
  ['createRooms', (_, x) => createRooms(x)],
  ['createRooms', (_, x) => createRooms(node, x), OPTIONAL],
  ['createRooms', (_, x) => createRooms(node, { message: x }), ['undefined']],
  ['createRooms', (_, x) => createRooms(node, { limits: x }), OPTIONAL],
  ['createRooms', (_, x) => createRooms(node, { heartbeat: { intervalMs: x } }), ['undefined', 5]],
  ['accept', ({ rooms: r }, x) => r.accept(x)],
  ['accept', ({ rooms: r }, x) => r.accept(socket(), x), OPTIONAL],
  ['accept', ({ rooms: r }, x) => r.accept(socket(), { key: x }), ['undefined', 'text']],
  ['accept', ({ rooms: r }, x) => r.accept(socket(), { address: x }), ['undefined', 'text']],
  ['attach', ({ rooms: r }, x) => r.attach(x)],
  ['attach', ({ rooms: r }, x) => r.attach(createServer(), x), OPTIONAL],
  ['attach', ({ rooms: r }, x) => r.attach(createServer(), { path: x }), ['undefined']],
  ['attach', ({ rooms: r }, x) => r.attach(createServer(), { authorize: x }), ['undefined']],
  ['attach', ({ rooms: r }, x) => r.attach(createServer(), { address: x }), ['undefined']],
  ['attach', ({ rooms: r }, x) => r.attach(createServer(), { origins: x }), ['undefined']],
  ['attach', ({ rooms: r }, x) => r.attach(createServer(), { compress: x }), ['undefined']],
  ['drain', (_, x) => createRooms(node).drain(x), OPTIONAL],
  ['drain', (_, x) => createRooms(node).drain({ over: x }), ['undefined', 5]],
  ['drain', (_, x) => createRooms(node).drain({ to: x }), ['undefined']],
  ['broadcast', ({ rooms: r }, x) => r.broadcast(x, 1), ['text']],
  ['broadcast', ({ rooms: r }, x) => r.broadcast('r', x), SAYABLE],
  ['broadcastExcept', ({ rooms: r }, x) => r.broadcastExcept(x, 1, {}), ['text']],
  ['broadcastExcept', ({ rooms: r }, x) => r.broadcastExcept('r', 1, x), ['{}']],
  ['broadcastExcept', ({ rooms: r }, x) => r.broadcastExcept('r', 1, { key: x }), ['undefined', 'text']],
  [
    'broadcastExcept',
    ({ rooms: r }, x) => r.broadcastExcept('r', 1, { connection: x }),
    ['undefined', 'text'],
  ],
  ['broadcastLocal', ({ rooms: r }, x) => r.broadcastLocal(x, 1), ['text']],
  ['broadcastLocal', ({ rooms: r }, x) => r.broadcastLocal('r', x), SAYABLE],
  ['broadcastOn', ({ rooms: r }, x) => r.broadcastOn(x, 'r', 1), ['text']],
  ['broadcastOn', ({ rooms: r }, x) => r.broadcastOn('other@h:1', x, 1), ['text']],
  ['broadcastOn', ({ rooms: r }, x) => r.broadcastOn('other@h:1', 'r', x), SAYABLE],
  ['sendTo', ({ rooms: r }, x) => r.sendTo(x, 1), ['text']],
  ['localMembers', ({ rooms: r }, x) => r.localMembers(x), ['text']],
  ['members', ({ rooms: r }, x) => r.members(x), ['text']],
  ['presence', ({ rooms: r }, x) => r.presence(x), ['text']],
  ['presence', ({ rooms: r }, x) => r.presence('r').onDiff(x)],
  ['presence', ({ rooms: r }, x) => r.presence('r').metas(x), ['text']],
];

const ON_CONNECTION: readonly Row<Stage>[] = [
  ['send', ({ connection: c }, x) => c.send(x), SAYABLE],
  ['join', ({ connection: c }, x) => c.join(x), ['text']],
  ['leave', ({ connection: c }, x) => c.leave(x), ['text']],
  ['broadcast', ({ connection: c }, x) => c.broadcast(x, 1), ['text']],
  ['broadcast', ({ connection: c }, x) => c.broadcast('r', x), SAYABLE],
  ['broadcast', ({ connection: c }, x) => c.broadcast('r', 1, x), OPTIONAL],
  ['broadcast', ({ connection: c }, x) => c.broadcast('r', 1, { self: x }), ['undefined']],
  ['track', ({ connection: c }, x) => c.track(x), ['text']],
  ['track', ({ connection: c }, x) => c.track('r', x), ['undefined', ...SAYABLE]],
  ['untrack', ({ connection: c }, x) => c.untrack(x), ['text']],
  ['close', ({ rooms: r }, x) => r.accept(socket()).close(x), ['undefined']],
  ['close', ({ rooms: r }, x) => r.accept(socket()).close(1000, x), ['undefined', 'text']],
];

const IN_TESTS: readonly Row<Stage>[] = [
  ['probe', ({ kit }, x) => kit.probe(x), ['undefined', 'text']],
  ['advance', ({ kit }, x) => kit.advance(x), [5]],
  ['mailbox', ({ kit }, x) => kit.mailbox(x)],
  ['expectMailbox', ({ kit }, x) => kit.expectMailbox(x, [])],
  ['expectMailbox', ({ kit, probe }, x) => kit.expectMailbox(probe.pid, x)],
  ['logged', ({ kit }, x) => kit.logged(x), ['text']],
  ['expectMessage', ({ probe }, x) => (probe.self.send(probe.pid, 1), probe.expectMessage(1, x)), OPTIONAL],
  [
    'expectMessage',
    ({ probe }, x) => (probe.self.send(probe.pid, 1), probe.expectMessage(1, { within: x })),
    ['undefined', 5],
  ],
  ['expectNoMessage', ({ probe }, x) => probe.expectNoMessage(x), ['undefined', 5]],
  ['watch', ({ probe }, x) => probe.watch(x), ['text']],
  ['expectDown', ({ probe }, x) => probe.expectDown(x)],
  ['expectExit', ({ probe }, x) => probe.expectExit(x)],
];

const MISSPELT: readonly Misspelt<Stage>[] = [
  ['startGroups', () => api.startGroups(node, { scpoe: 'a' } as Wrong)],
  ['startGlobalNames', () => api.startGlobalNames(node, { losr: 'kill' } as Wrong)],
  ['createRooms', () => createRooms(node, { mesage: () => {} } as Wrong)],
  ['accept', () => rooms.accept(socket(), { kye: 'a' } as Wrong)],
  ['attach', () => rooms.attach(createServer(), { pth: '/a' } as Wrong)],
  ['drain', () => rooms.drain({ ovr: 5 } as Wrong)],
  ['broadcastExcept', () => rooms.broadcastExcept('r', 1, { conection: 'a' } as Wrong)],
  ['broadcast of a connection', () => connection.broadcast('r', 1, { slf: false } as Wrong)],
  [
    'expectMessage',
    ({ probe }) => (probe.self.send(probe.pid, 1), probe.expectMessage(1, { withn: 1 } as Wrong)),
  ],
];

describe.each([
  ['groups', ON_GROUPS],
  ['global names', ON_NAMES],
  ['a registry', ON_REGISTRY],
  ['rooms', ON_ROOMS],
  ['a connection', ON_CONNECTION],
  ['the test kit', IN_TESTS],
] as const)('%s', (_of, rows) => {
  it.each(casesOf(rows))('$of, x = $label', async ({ judge }) => judge(await stage()));
});

describe('an option that does not exist', () => {
  it.each(MISSPELT)('of %s', async (_what, call) => {
    const on = await stage();
    expect((await mustRefuse(() => call(on))).code).toBe('SNOW_ERR_BAD_OPTION');
  });
});

it.each<[string, { prototype: object }, readonly Row<Stage>[], readonly string[]]>([
  ['Groups', api.Groups, ON_GROUPS, ['which', 'whichLocal', 'close']],
  ['GlobalNames', api.GlobalNames, ON_NAMES, ['sync', 'names', 'close']],
  ['DuplicateRegistry', api.DuplicateRegistry, ON_REGISTRY, ['isHere', 'holdingOf', 'remove']],
  ['Rooms', Rooms, ON_ROOMS, ['connections', 'stats', 'close', ...Object.keys(EventEmitter.prototype)]],
  [
    'Connection',
    Connection,
    ON_CONNECTION,
    [
      ...[
        'joinAnswering',
        'leaveAnswering',
        'terminate',
        'broken',
        'ended',
        'isExcludedBy',
        'caughtUp',
        'onMessage',
        'received',
      ],
      ...['deliver', 'notify', 'notifyFrames', 'ping', 'hold', 'untilRead'],
    ],
  ],
  ['TestRuntime', TestRuntime, IN_TESTS, ['settle', 'stop']],
  ['Probe', Probe, IN_TESTS, ['clear', 'expectEnd', 'await']],
])('every public method of %s has rows here', (_name, type, rows, others) => {
  const known = new Set([...rows.map(([name]) => name), ...others]);
  expect(methodsOf(type).filter((name) => !known.has(name))).toEqual([]);
});
