// Whatever plain JavaScript hands to a public function by mistake is refused at once, with one coded error: never a raw
// TypeError, never silence. Each function has its rows in the table; a function that has none fails the last tests.
import { EventEmitter } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as api from '../../../ts/index.ts';
import { defineHandler, type Node, Pid, Ref, type Self, startNode } from '../../../ts/index.ts';
import { Cell } from '../../../ts/kernel/index.ts';
import {
  casesOf,
  chainOf,
  LABELS,
  labelOf,
  type Misspelt,
  methodsOf,
  mustRefuse,
  OPTIONAL,
  type Row,
  SENDABLE,
  type Wrong,
} from './misuse.ts';

interface Stage {
  readonly self: Wrong;
  readonly node: Wrong;
  readonly pid: Wrong;
}

let node: Node;
beforeAll(async () => {
  node = await startNode({
    name: 'misuse@127.0.0.1:0',
    cookie: 'a cookie of this test: 0123456789',
    logger: api.silentLogger,
  });
});
afterAll(() => node.stop({ timeout: 0 }));

const body = async (): Promise<void> => new Promise(() => {});
const deaf = defineHandler('deaf', () => ({ onMessage: () => {} }));
const spec = api.defineActor('idle', body);
const server = api.defineServer({ name: 'server', init: () => 0 });
const init = (): object => ({});
const child = api.childSpec('child', body);

/** A new actor and a new target: rows end them, name them, and leave them waiting. */
async function stage(): Promise<Stage> {
  const self = await new Promise<Self>((resolve) => {
    node.spawn(async (own) => {
      resolve(own);
      await body();
    });
  });
  return { self, node, pid: node.spawn(deaf) };
}

const ON_SELF: readonly Row<Stage>[] = [
  ['receive', ({ self }, x) => self.receive(x), ['undefined', 'text']],
  ['receive', ({ self }, x) => self.receive('tag', x), OPTIONAL],
  ['receive', ({ self }, x) => self.receive('tag', { timeout: x }), ['undefined', 5]],
  ['receive', ({ self }, x) => self.receive('tag', { signal: x }), ['undefined']],
  ['send', ({ self }, x) => self.send(x, 1)],
  ['send', ({ self, pid }, x) => self.send(pid, x), SENDABLE],
  ['sendWait', ({ self }, x) => self.sendWait(x, 1)],
  ['sendWait', ({ self, pid }, x) => self.sendWait(pid, x), SENDABLE],
  ['spawn', ({ self }, x) => self.spawn(x)],
  ['spawnLink', ({ self }, x) => self.spawnLink(x)],
  ['spawnMonitor', ({ self }, x) => self.spawnMonitor(x)],
  ['spawnHandler', ({ self }, x) => self.spawnHandler(x)],
  ['spawnWith', ({ self }, x) => self.spawnWith(x, body), ['{}']],
  ['spawnWith', ({ self }, x) => self.spawnWith({}, x)],
  ['spawnWith', ({ self }, x) => self.spawnWith({ link: x }, body), ['undefined']],
  ['spawnWith', ({ self }, x) => self.spawnWith({ monitor: x }, body), ['undefined']],
  ['spawnWith', ({ self }, x) => self.spawnWith({ trapExit: x }, body), ['undefined']],
  ['spawnWith', ({ self }, x) => self.spawnWith({ label: x }, body), ['undefined', 'text']],
  ['spawnWith', ({ self }, x) => self.spawnWith({ mailbox: x }, body), ['undefined']],
  ['spawnWith', ({ self }, x) => self.spawnWith({ name: x }, async () => {}), ['undefined', 'text']],
  ['spawnOn', ({ self }, x) => self.spawnOn(x, spec, []), ['text']], // rejects once it is out of reach
  ['spawnOn', ({ self }, x) => self.spawnOn(node.name, x, [])],
  ['spawnOn', ({ self }, x) => self.spawnOn(node.name, spec, x)],
  ['spawnOn', ({ self }, x) => self.spawnOn(node.name, spec, [], x), OPTIONAL],
  ['spawnOn', ({ self }, x) => self.spawnOn(node.name, spec, [], { link: x }), ['undefined']],
  ['spawnOn', ({ self }, x) => self.spawnOn(node.name, spec, [], { signal: x }), ['undefined']],
  ['link', ({ self }, x) => self.link(x)],
  ['unlink', ({ self }, x) => self.unlink(x)],
  ['monitor', ({ self }, x) => self.monitor(x), ['text']],
  ['monitor', ({ self, pid }, x) => self.monitor(pid, x), OPTIONAL],
  ['monitor', ({ self, pid }, x) => self.monitor(pid, { alias: x }), ['undefined']],
  ['demonitor', ({ self }, x) => self.demonitor(x)],
  ['demonitor', ({ self }, x) => self.demonitor(self.makeRef(), x), OPTIONAL],
  ['demonitor', ({ self }, x) => self.demonitor(self.makeRef(), { flush: x }), ['undefined']],
  ['alias', ({ self }, x) => self.alias(x), ['undefined']],
  ['unalias', ({ self }, x) => self.unalias(x)],
  ['trapExit', ({ self }, x) => self.trapExit(x)],
  ['exit', ({ self }, x) => self.exit(x)], // throws whatever it is given
  ['sendExit', ({ self }, x) => self.sendExit(x, 'why')],
  ['sendExit', ({ self, pid }, x) => self.sendExit(pid, x), SENDABLE],
  ['sleep', ({ self }, x) => self.sleep(x), [5]],
  ['sendAfter', ({ self, pid }, x) => self.sendAfter(x, pid, 1), [5]],
  ['sendAfter', ({ self }, x) => self.sendAfter(1, x, 1), ['text']],
  ['sendAfter', ({ self, pid }, x) => self.sendAfter(1, pid, x), SENDABLE],
  ['startTimer', ({ self, pid }, x) => self.startTimer(x, pid, 1), [5]],
  ['startTimer', ({ self }, x) => self.startTimer(1, x, 1), ['text']],
  ['startTimer', ({ self, pid }, x) => self.startTimer(1, pid, x), SENDABLE],
  ['sendInterval', ({ self, pid }, x) => self.sendInterval(x, pid, 1), [5]],
  ['sendInterval', ({ self }, x) => self.sendInterval(1, x, 1), ['text']],
  ['sendInterval', ({ self, pid }, x) => self.sendInterval(1, pid, x), SENDABLE],
  ['after', ({ self }, x) => self.after(x, () => {}), [5]],
  ['after', ({ self }, x) => self.after(1, x)],
  ['onExit', ({ self }, x) => self.onExit(x)],
  ['cancelTimer', ({ self }, x) => self.cancelTimer(x)],
  ['readTimer', ({ self }, x) => self.readTimer(x)],
  ['register', ({ self }, x) => self.register(x), ['text']],
  ['register', ({ self }, x) => self.register('a name of its own', x), ['undefined']],
  ['unregister', ({ self }, x) => self.unregister(x), ['text']],
  ['whereis', ({ self }, x) => self.whereis(x), ['text']],
  ['isAlive', ({ self }, x) => self.isAlive(x)],
];

const ON_NODE: readonly Row<Stage>[] = [
  ['spawn', (_, x) => node.spawn(x)],
  ['spawnHandler', (_, x) => node.spawnHandler(x)],
  ['spawnWith', (_, x) => node.spawnWith(x, body), ['{}']],
  ['spawnWith', (_, x) => node.spawnWith({}, x)],
  ['send', (_, x) => node.send(x, 1)],
  ['send', ({ pid }, x) => node.send(pid, x), SENDABLE],
  ['sendWait', (_, x) => node.sendWait(x, 1)],
  ['sendWait', ({ pid }, x) => node.sendWait(pid, x), SENDABLE],
  ['sendExit', (_, x) => node.sendExit(x, 'why')],
  ['sendExit', ({ pid }, x) => node.sendExit(pid, x), SENDABLE],
  ['isAlive', (_, x) => node.isAlive(x)],
  ['nodeOf', (_, x) => node.nodeOf(x)],
  ['linkCounts', (_, x) => node.linkCounts(x)],
  ['register', ({ pid }, x) => node.register(x, pid), ['text']],
  ['register', (_, x) => node.register('a name', x)],
  ['unregister', (_, x) => node.unregister(x), ['text']],
  ['whereis', (_, x) => node.whereis(x), ['text']],
  ['expose', (_, x) => node.expose(x)],
  ['mailboxOf', (_, x) => node.mailboxOf(x)],
  ['onDeath', (_, x) => node.onDeath(x, () => {})],
  ['onDeath', ({ pid }, x) => node.onDeath(pid, x)],
  ['deadLetters.subscribe', (_, x) => node.deadLetters.subscribe(x)],
  ['nodes', (_, x) => node.nodes(x), ['undefined']],
  ['connect', (_, x) => node.connect(x)],
  ['disconnect', (_, x) => node.disconnect(x)],
  ['connectFailure', (_, x) => node.connectFailure(x)],
  ['ready', (_, x) => node.ready(x), OPTIONAL],
  ['ready', (_, x) => node.ready({ peers: x }), ['undefined', 5]],
  ['ready', (_, x) => node.ready({ peers: 0, timeout: x }), ['undefined', 5]],
  ['ready', (_, x) => node.ready({ peers: 0, signal: x }), ['undefined']],
  ['stop', (_, x) => OPTIONAL.includes(labelOf(x)) || node.stop(x), OPTIONAL],
  ['monitorNodes', (_, x) => node.monitorNodes(x)],
  ['monitorNodes', ({ self }, x) => node.monitorNodes(self, x), OPTIONAL],
  ['monitorNodes', ({ self }, x) => node.monitorNodes(self, { hidden: x }), ['undefined']],
  ['monitorNode', (_, x) => node.monitorNode(x, 'other@127.0.0.1:1')],
  ['monitorNode', ({ self }, x) => node.monitorNode(self, x)],
  ['demonitorNodes', (_, x) => node.demonitorNodes(x)],
  ['stopOnSignals', (_, x) => node.stopOnSignals(x)(), OPTIONAL],
  ['stopOnSignals', (_, x) => node.stopOnSignals({ timeout: x })(), ['undefined', 5]],
  ['stopOnSignals', (_, x) => node.stopOnSignals({ grace: x })(), ['undefined', 5]],
  ['stopOnSignals', (_, x) => node.stopOnSignals({ before: x })(), ['undefined']],
  ['processes', (_, x) => node.processes(x), OPTIONAL],
  ['processes', (_, x) => node.processes({ after: x }), ['undefined', 5]],
  ['processes', (_, x) => node.processes({ limit: x }), ['undefined', 5]],
  ['processInfo', (_, x) => node.processInfo(x)],
  ['tree', (_, x) => node.tree(x), OPTIONAL],
  ['tree', (_, x) => node.tree({ limit: x }), ['undefined', 5]],
  ['introspect', (_, x) => node.introspect(x), ['undefined']],
  ['introspect', (_, x) => node.introspect(node.name, x), OPTIONAL],
  ['introspect', (_, x) => node.introspect(node.name, { timeout: x }), ['undefined', 5]],
];

const CALLER = (call: (caller: Wrong) => unknown) => (_: Stage, x: Wrong) => call(x);
const FUNCTIONS: readonly Row<Stage>[] = [
  ['start', CALLER((x) => api.start(x, body, []))],
  ['start', ({ self }, x) => api.start(self, x, [])],
  ['start', ({ self }, x) => api.start(self, body, x)],
  ['start', ({ self }, x) => api.start(self, body, [], x), OPTIONAL],
  ['start', ({ self }, x) => api.start(self, body, [], { timeout: x }), ['undefined', 5]],
  ['start', ({ self }, x) => api.start(self, body, [], { node: x }), ['undefined', 'text']],
  ['stop', CALLER((x) => api.stop(x, 'name'))],
  ['stop', ({ self }, x) => api.stop(self, x)],
  ['stop', ({ self, pid }, x) => api.stop(self, pid, x), SENDABLE],
  ['stop', ({ self, pid }, x) => api.stop(self, pid, 'normal', x), OPTIONAL],
  ['stop', ({ self, pid }, x) => api.stop(self, pid, 'normal', { signal: x }), ['undefined']],
  ['call', CALLER((x) => api.call(x, 'name', 'tag'))],
  ['call', ({ self }, x) => api.call(self, x, 'tag')],
  ['call', ({ self, pid }, x) => api.call(self, pid, x), ['text']],
  ['callWith', ({ self, pid }, x) => api.callWith(self, x, pid, 'tag'), ['{}']],
  ['callWith', ({ self, pid }, x) => api.callWith(self, { timeout: x }, pid, 'tag'), ['undefined', 5]],
  ['callWith', ({ self, pid }, x) => api.callWith(self, { signal: x }, pid, 'tag'), ['undefined']],
  ['cast', CALLER((x) => api.cast(x, 'name', 'tag'))],
  ['cast', ({ self }, x) => api.cast(self, x, 'tag'), ['text']], // never fails for a name that nobody has
  ['cast', ({ self, pid }, x) => api.cast(self, pid, x), ['text']],
  ['multiCall', CALLER((x) => api.multiCall(x, [], 'tag', []))],
  ['multiCall', ({ self }, x) => api.multiCall(self, x, 'tag', [])],
  ['multiCall', ({ self }, x) => api.multiCall(self, [x], 'tag', []), ['text']],
  ['multiCall', ({ self }, x) => api.multiCall(self, [], x, []), ['text']],
  ['multiCall', ({ self }, x) => api.multiCall(self, [], 'tag', x)],
  ['multiCall', ({ self }, x) => api.multiCall(self, [], 'tag', [], x), OPTIONAL],
  ['replyTo', CALLER((x) => api.replyTo(x, new Ref(0, 1, 1), 1))],
  ['replyTo', ({ self }, x) => api.replyTo(self, x, 1)],
  ['task', CALLER((x) => api.task(x, () => 1))],
  ['task', ({ self }, x) => api.task(self, x)],
  ['task', ({ self }, x) => api.task(self, () => 1, x), OPTIONAL],
  ['task', ({ self }, x) => api.task(self, () => 1, { link: x }), ['undefined']],
  ['task', ({ self }, x) => api.task(self, () => 1).await(x)],
  ['task', ({ self }, x) => api.task(self, () => 1).await(self, x), ['undefined', 5]],
  ['task', ({ self }, x) => api.task(self, () => 1).yield(x)],
  ['task', ({ self }, x) => api.task(self, () => 1).shutdown(x)],
  ['taskUnder', CALLER((x) => api.taskUnder(x, 'name', () => 1))],
  ['taskUnder', ({ self }, x) => api.taskUnder(self, x, () => 1)],
  ['taskUnder', ({ self, pid }, x) => api.taskUnder(self, pid, x)],
  ['taskUnder', ({ self, pid }, x) => api.taskUnder(self, pid, () => 1, x), OPTIONAL],
  ['defineActor', (_, x) => api.defineActor(x, body), ['text']],
  ['defineActor', (_, x) => api.defineActor('a', x)],
  ['defineActor', (_, x) => api.defineActor('a', body, x), OPTIONAL],
  ['defineActor', (_, x) => api.defineActor('a', body, { ack: x }), ['undefined']],
  ['defineHandler', (_, x) => api.defineHandler(x, init as Wrong), ['text']],
  ['defineHandler', (_, x) => api.defineHandler('a', x)],
  ['defineServer', (_, x) => api.defineServer(x)],
  ['defineServer', (_, x) => api.defineServer({ name: 'a', init, calls: x }), OPTIONAL],
  ['defineServer', (_, x) => api.defineServer({ name: 'a', init, info: x }), ['undefined']],
  ['defineServer', (_, x) => api.defineServer({ name: 'a', init, timeout: x }), ['undefined', 5]],
  ['defineServer', (_, x) => server.startWith(node, x), ['{}', 'undefined']],
  ['defineStateMachine', (_, x) => api.defineStateMachine(x)],
  ['defineStateMachine', (_, x) => api.defineStateMachine({ name: 'a', init, states: x } as Wrong)],
  [
    'defineStateMachine',
    (_, x) => api.defineStateMachine({ name: 'a', init, states: { on: x } } as Wrong),
    ['{}'],
  ],
  [
    'defineStateMachine',
    (_, x) => api.defineStateMachine({ name: 'a', init, states: { on: { enter: x } } } as Wrong),
    ['undefined'],
  ],
  ['defineSupervisor', (_, x) => api.defineSupervisor(x)],
  ['defineSupervisor', (_, x) => api.defineSupervisor({ name: x, children: [] }), ['text']],
  ['defineSupervisor', (_, x) => api.defineSupervisor({ name: 'a', children: x })],
  ['defineSupervisor', (_, x) => api.defineSupervisor({ name: 'a', children: [x] })],
  ['defineDynamicSupervisor', (_, x) => api.defineDynamicSupervisor(x)],
  ['definePartitionSupervisor', (_, x) => api.definePartitionSupervisor(x)],
  ['definePartitionSupervisor', (_, x) => api.definePartitionSupervisor({ name: 'a', child: x })],
  ['childSpec', (_, x) => api.childSpec(x, body), ['text']],
  ['childSpec', (_, x) => api.childSpec('a', x)],
  ['childSpec', (_, x) => api.childSpec('a', body, x), OPTIONAL],
  ['startChild', CALLER((x) => api.startChild(x, 'name', child))],
  ['startChild', ({ self }, x) => api.startChild(self, x, child)],
  ['startChild', ({ self, pid }, x) => api.startChild(self, pid, x)],
  ['startChild', ({ self, pid }, x) => api.startChild(self, pid, child, x), OPTIONAL],
  ['terminateChild', CALLER((x) => api.terminateChild(x, 'name', 'a'))],
  ['terminateChild', ({ self }, x) => api.terminateChild(self, x, 'a')],
  ['terminateChild', ({ self, pid }, x) => api.terminateChild(self, pid, x), ['text']],
  ['terminateChild', ({ self, pid }, x) => api.terminateChild(self, pid, 'a', x), OPTIONAL],
  ['restartChild', CALLER((x) => api.restartChild(x, 'name', 'a'))],
  ['restartChild', ({ self }, x) => api.restartChild(self, x, 'a')],
  ['restartChild', ({ self, pid }, x) => api.restartChild(self, pid, x), ['text']],
  ['restartChild', ({ self, pid }, x) => api.restartChild(self, pid, 'a', x), OPTIONAL],
  ['deleteChild', CALLER((x) => api.deleteChild(x, 'name', 'a'))],
  ['deleteChild', ({ self }, x) => api.deleteChild(self, x, 'a')],
  ['deleteChild', ({ self, pid }, x) => api.deleteChild(self, pid, x), ['text']],
  ['deleteChild', ({ self, pid }, x) => api.deleteChild(self, pid, 'a', x), OPTIONAL],
  ['whichChildren', CALLER((x) => api.whichChildren(x, 'name'))],
  ['whichChildren', ({ self }, x) => api.whichChildren(self, x)],
  ['whichChildren', ({ self, pid }, x) => api.whichChildren(self, pid, x), OPTIONAL],
  ['countChildren', CALLER((x) => api.countChildren(x, 'name'))],
  ['countChildren', ({ self }, x) => api.countChildren(self, x)],
  ['countChildren', ({ self, pid }, x) => api.countChildren(self, pid, x), OPTIONAL],
  ['startNode', (_, x) => OPTIONAL.includes(labelOf(x)) || api.startNode(x), OPTIONAL],
  ['startGroups', (_, x) => api.startGroups(x)],
  ['startGroups', (_, x) => OPTIONAL.includes(labelOf(x)) || api.startGroups(node, x), OPTIONAL],
  ['startGlobalNames', (_, x) => api.startGlobalNames(x)],
  ['startGlobalNames', (_, x) => OPTIONAL.includes(labelOf(x)) || api.startGlobalNames(node, x), OPTIONAL],
  ['staticList', (_, x) => api.staticList(x)],
  ['staticList', (_, x) => api.staticList([x])],
  ['fileDiscovery', (_, x) => api.fileDiscovery(x)],
  ['fileDiscovery', (_, x) => api.fileDiscovery({ path: x }), ['text']],
  ['dnsDiscovery', (_, x) => api.dnsDiscovery(x)],
  ['dnsDiscovery', (_, x) => api.dnsDiscovery({ name: x, query: 'a', hostname: 'h' }), ['text']],
  ['portmapDiscovery', (_, x) => api.portmapDiscovery(x), OPTIONAL],
  ['portmapDiscovery', (_, x) => api.portmapDiscovery({ port: x }), ['undefined', 5]],
  ['portmapDiscovery', (_, x) => api.portmapDiscovery({ hostname: x }), ['undefined', 'text']],
  ['nativeCounters', (_, x) => api.nativeCounters(x), [5]],
  ['lookupPort', (_, x) => api.lookupPort(x, { port: 1 })],
  ['lookupPort', (_, x) => OPTIONAL.includes(labelOf(x)) || api.lookupPort('a', x), OPTIONAL],
  ['registerWithPortmap', (_, x) => x === 'text' || api.registerWithPortmap(x, 1), ['text']],
  ['registerWithPortmap', (_, x) => x === 5 || api.registerWithPortmap('a', x), [5]],
  [
    'registerWithPortmap',
    (_, x) => OPTIONAL.includes(labelOf(x)) || api.registerWithPortmap('a', 1, x),
    OPTIONAL,
  ],
  ['startPortmap', (_, x) => OPTIONAL.includes(labelOf(x)) || api.startPortmap(x), OPTIONAL],
  ['encodeTerm', (_, x) => api.encodeTerm(x), SENDABLE],
  ['decodeTerm', (_, x) => api.decodeTerm(x)],
  ['freezeDeep', (_, x) => api.freezeDeep(x), SENDABLE],
  ['struct', (_, x) => api.struct(x, {}), ['text']],
  ['struct', (_, x) => api.struct('point', x), ['{}', 'promise']], // found when it is sent
  ['isCleanExit', (_, x) => api.isCleanExit(x), LABELS],
  ['continuing', (_, x) => api.continuing(x, x), LABELS],
];

const MISSPELT: readonly Misspelt<Stage>[] = [
  ['self.receive', ({ self }) => self.receive('tag', { timout: 5 })],
  ['self.spawnWith', ({ self }) => self.spawnWith({ nmae: 'a' }, body)],
  ['self.spawnWith mailbox', ({ self }) => self.spawnWith({ mailbox: { max: 1, polcy: 'block' } }, body)],
  ['self.spawnOn', ({ self }) => self.spawnOn(node.name, spec, [], { lnik: true })],
  ['self.monitor', ({ self, pid }) => self.monitor(pid, { alais: 'reply' })],
  ['self.monitor alias', ({ self, pid }) => self.monitor(pid, { alias: 'bogus' })],
  ['self.demonitor', ({ self }) => self.demonitor(self.makeRef(), { flsh: true })],
  ['self.alias', ({ self }) => self.alias('bogus')],
  ['node.spawnWith', () => node.spawnWith({ nmae: 'a' } as Wrong, body)],
  ['node.spawnWith link', () => node.spawnWith({ link: true }, body)],
  ['node.spawnWith monitor', () => node.spawnWith({ monitor: true }, body)],
  ['node.ready', () => node.ready({ peer: 1 } as Wrong)],
  ['node.stop', () => node.stop({ timout: 1 } as Wrong)],
  ['node.monitorNodes', ({ self }) => node.monitorNodes(self, { hiden: true } as Wrong)],
  ['start', ({ self }) => api.start(self, body, [], { timout: 5 } as Wrong)],
  ['server.startWith', () => server.startWith(node, { nmae: 'a' } as Wrong)],
  ['stop', ({ self, pid }) => api.stop(self, pid, 'normal', { timout: 5 } as Wrong)],
  ['callWith', ({ self, pid }) => api.callWith(self, { timout: 5 } as Wrong, pid, 'tag')],
  ['multiCall', ({ self }) => api.multiCall(self, [], 'tag', [], { timout: 5 } as Wrong)],
  ['task', ({ self }) => api.task(self, () => 1, { lnik: true } as Wrong)],
  ['taskUnder', ({ self, pid }) => api.taskUnder(self, pid, () => 1, { timout: 1 } as Wrong)],
  ['whichChildren', ({ self, pid }) => api.whichChildren(self, pid, { timout: 1 } as Wrong)],
  ['defineActor', () => api.defineActor('a', body, { ak: true } as Wrong)],
  [
    'any of a state machine',
    () => api.defineStateMachine({ name: 'a', init, states: { on: {} }, any: { enter: init } } as Wrong),
  ],
  ['fileDiscovery', () => api.fileDiscovery({ path: 'a', intervalMS: 5 } as Wrong)],
  ['dnsDiscovery', () => api.dnsDiscovery({ name: 'a', query: 'a', hostname: 'h', intervall: 5 } as Wrong)],
  ['portmapDiscovery', () => api.portmapDiscovery({ embedd: true } as Wrong)],
  ['startPortmap', () => api.startPortmap({ prot: 5 } as Wrong)],
];

/** Addresses and arguments of the right type that make no sense. */
const SENSELESS: readonly Row<Stage>[] = [
  ['a monitor of a name without a node', ({ self }) => self.monitor({ name: 'x' })],
  ['a monitor of a node without a name', ({ self }) => self.monitor({ node: node.name })],
  ['a link with a name', ({ self }) => self.link('name')],
  ['a link with a name on a node', ({ self }) => self.link({ name: 'x', node: node.name })],
  ['an exit signal to a name', ({ self }) => self.sendExit('name', 'why')],
  ['an exit signal of a node to a name', () => node.sendExit('name' as Wrong, 'why')],
  ['a message to a name without a node', ({ self }) => self.send({ name: 'x' }, 1)],
  ['a message to a name that is no string', ({ self }) => self.send({ name: 5, node: node.name }, 1)],
  ['a call of a reference that is an object', ({ self }) => api.call(self, { name: 'x' } as Wrong, 'tag')],
  ['an actor defined by an object', () => api.defineActor({ name: 'a', body } as Wrong, undefined as Wrong)],
  ['a state machine without states', () => api.defineStateMachine({ name: 'a', init } as Wrong)],
  ['a task of a node', () => api.task(node as Wrong, () => 1)],
  ['a subscriber on another node', () => node.monitorNodes(new Pid(7, 1))],
];

describe.each([
  ['self', ON_SELF],
  ['node', ON_NODE],
  ['the function', FUNCTIONS],
] as const)('%s', (_of, rows) => {
  it.each(casesOf(rows))('$of, x = $label', async ({ judge }) => judge(await stage()));
});

describe('an option that does not exist', () => {
  it.each(MISSPELT)('%s', async (_what, call) => {
    const on = await stage();
    const { code } = await mustRefuse(() => call(on));
    expect(code).toMatch('SNOW_ERR_BAD_OPTION');
  });

  it('is named, with the one that was meant', async () => {
    const { self } = await stage();
    expect(() => self.receive('tag', { timout: 5 })).toThrow(
      'receive has no option "timout"; did you mean "timeout"?',
    );
  });
});

describe('what makes no sense', () => {
  it.each(SENSELESS)('%s', async (...row) => {
    const [, call] = row as unknown as Row<Stage>;
    const on = await stage();
    await mustRefuse(() => call(on, undefined));
  });
});

describe('every public', () => {
  const listed = (rows: readonly Row<Stage>[], more: readonly string[]): Set<string> =>
    new Set([...rows.map(([name]) => name), ...more]);

  it('method of Self has rows here', () => {
    const withoutArguments = ['now', 'toJSON', 'makeRef', 'initAck', 'initIgnore'];
    const known = listed(ON_SELF, [...withoutArguments, 'leaveLater', 'make', ...methodsOf(Cell)]);
    const names = chainOf(api.Self).flatMap(methodsOf);
    expect(names).toContain('spawnWith');
    expect(names.filter((name) => !known.has(name))).toEqual([]);
  });

  it('method of Node has rows here', () => {
    const withoutArguments = ['now', 'toJSON', 'registered', 'stats', 'ref', 'unref'];
    const hidden = [
      ...[
        'join',
        'channel',
        'pidOf',
        'makeRef',
        'newRef',
        'newCell',
        'deliverSystem',
        'runSlice',
        'onStop',
        'callStopListeners',
        'wake',
        'endTrees',
      ],
      ...['after', 'setKeepAlive', 'isSelf', 'guard'],
    ];
    const known = listed(ON_NODE, [...withoutArguments, ...hidden, ...Object.keys(EventEmitter.prototype)]);
    const names = chainOf(api.Node).flatMap(methodsOf);
    expect(names).toContain('spawnWith');
    expect(names.filter((name) => !known.has(name))).toEqual([]);
  });

  it('function has rows here', () => {
    const known = listed(FUNCTIONS, ['noReply', 'ignore']);
    const functions = Object.entries(api)
      .filter(([, value]) => typeof value === 'function' && !String(value).startsWith('class'))
      .map(([name]) => name);
    expect(functions).toContain('startNode');
    expect(functions.filter((name) => !known.has(name))).toEqual([]);
  });
});
