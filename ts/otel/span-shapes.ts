// Names, kinds and attributes of spans, after the semantic conventions of OpenTelemetry for messaging and RPC.
import type { Attributes, SpanKind } from '@opentelemetry/api';
import { SnowmeshError } from '../errors/index.ts';
import { Call, type Cell, cellOf, type RemotePort } from '../kernel/index.ts';
import { Pid } from '../term/index.ts';

/** Name, kind and attributes of a span. */
export interface Shape {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: Attributes;
}

const SYSTEM = 'snowmesh';

export class SpanShapes {
  readonly #kinds: typeof SpanKind;

  constructor(kinds: typeof SpanKind) {
    this.#kinds = kinds;
  }

  send(to: unknown, remote: RemotePort): Shape {
    const { name, node } = destinationOf(to, remote);
    return {
      name: name === undefined ? 'send' : `send ${name}`,
      kind: this.#kinds.PRODUCER,
      attributes: { ...messaging('send', name), ...of(node) },
    };
  }

  process(destination: string): Shape {
    const attributes = messaging('process', destination);
    return { name: `process ${destination}`, kind: this.#kinds.CONSUMER, attributes };
  }

  request(kind: 'call' | 'spawn', target: unknown, method: string, remote: RemotePort): Shape {
    const { name, node } = destinationOf(target, remote);
    const isSpawn = kind === 'spawn';
    return {
      name: isSpawn ? `spawn ${method}` : rpcName(name, method),
      kind: this.#kinds.CLIENT,
      attributes: { ...(isSpawn ? rpc(method, 'spawn') : rpc(name, method)), ...of(isSpawn ? name : node) },
    };
  }

  spawn(child: Cell, isRemote: boolean): Shape {
    return {
      name: `spawn ${child.label}`,
      kind: isRemote ? this.#kinds.SERVER : this.#kinds.INTERNAL,
      attributes: { ...(isRemote ? rpc(child.label, 'spawn') : {}), 'snowmesh.actor': child.pid.toString() },
    };
  }

  /** A handler's turn. */
  turn(cell: Cell, message: unknown): Shape {
    const { label } = cell;
    const actor = { 'snowmesh.actor': cell.pid.toString() };
    if (!(message instanceof Call)) {
      const shape = this.process(label);
      return { ...shape, attributes: { ...shape.attributes, ...actor } };
    }
    return {
      name: rpcName(label, message.tag),
      kind: this.#kinds.SERVER,
      attributes: { ...rpc(label, message.tag), ...actor },
    };
  }
}

/** The attribute `error.type` for a thrown value. */
export function nameOf(error: unknown): string {
  if (error instanceof SnowmeshError) return error.code;
  return error instanceof Error ? error.name : '_OTHER';
}

/** A span name must have low cardinality, so a PID is never part of it. */
function destinationOf(
  to: unknown,
  remote: RemotePort,
): { name: string | undefined; node: string | undefined } {
  if (typeof to === 'string') return { name: to, node: undefined };
  if (to instanceof Pid)
    return { name: cellOf(to)?.label, node: to.nc === 0 ? undefined : remote.nodeOf(to) };
  const { name, node } = to as { name?: unknown; node?: unknown };
  return typeof name === 'string' && typeof node === 'string'
    ? { name, node }
    : { name: undefined, node: undefined };
}

function messaging(operation: 'send' | 'process', destination: string | undefined): Attributes {
  return {
    'messaging.system': SYSTEM,
    'messaging.operation.name': operation,
    'messaging.operation.type': operation,
    ...(destination === undefined ? {} : { 'messaging.destination.name': destination }),
  };
}

function rpc(service: string | undefined, method: string): Attributes {
  return {
    'rpc.system': SYSTEM,
    'rpc.method': method,
    ...(service === undefined ? {} : { 'rpc.service': service }),
  };
}

function rpcName(service: string | undefined, method: string): string {
  return service === undefined ? method : `${service}/${method}`;
}

function of(node: string | undefined): Attributes {
  return node === undefined ? {} : { 'snowmesh.node': node };
}
