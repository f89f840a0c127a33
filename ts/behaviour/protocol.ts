import type { NodeAddress } from '../actor/index.ts';
import type { Pid } from '../term/index.ts';

/** The requests that a server accepts: calls by tag, casts by tag, and plain messages. A type only. */
export interface Protocol {
  readonly calls: object;
  readonly casts: object;
  readonly info: unknown;
}

declare const PROTOCOL: unique symbol;

/** The PID of a server with protocol `P`: sendable like any PID, and typed for `call` and `cast`. */
export type ServerRef<P extends Protocol> = Pid<P['info']> & { readonly [PROTOCOL]?: P };

/** A local name under which a server with protocol `P` is, or will be, registered. */
export type ServerName<P extends Protocol> = string & { readonly [PROTOCOL]?: P };

/** A name on a node under which a server with protocol `P` is, or will be, registered. */
export type ServerAddress<P extends Protocol> = NodeAddress & { readonly [PROTOCOL]?: P };

/** An address of a server with protocol `P`: a PID, a local name, or a name on a node. */
export type ServerDest<P extends Protocol> = ServerRef<P> | ServerName<P> | ServerAddress<P>;

/** A destination without a known protocol. The compiler shows the text for a server whose protocol does not fit. */
export type UntypedDest = (Pid | string | NodeAddress) & {
  readonly [PROTOCOL]?: 'this server has no such tag, or the arguments do not fit it';
};

/** The protocol of handlers: calls `C`, casts `K`, plain messages `M`. */
export interface ProtocolOf<C, K, M> extends Protocol {
  readonly calls: { readonly [T in keyof C]: (...args: ArgsAfterContext<C[T]>) => Answer<C[T]> };
  readonly casts: { readonly [T in keyof K]: (...args: ArgsAfterContext<K[T]>) => void };
  readonly info: M;
}

/** The tags of the calls of `P`. */
export type CallTag<P extends Protocol> = Extract<keyof P['calls'], string>;
/** The tags of the casts of `P`. */
export type CastTag<P extends Protocol> = Extract<keyof P['casts'], string>;
/** The arguments of a call with tag `T`. */
export type CallArgs<P extends Protocol, T extends CallTag<P>> = ArgsOf<P['calls'][T]>;
/** The arguments of a cast with tag `T`. */
export type CastArgs<P extends Protocol, T extends CastTag<P>> = ArgsOf<P['casts'][T]>;
/** The result of a call with tag `T`. */
export type CallAnswer<P extends Protocol, T extends CallTag<P>> = P['calls'][T] extends (
  ...args: never
) => infer R
  ? R
  : never;

declare const ANSWER: unique symbol;

/** The result of a call handler that answers later: see `noReply`. */
export interface NoReply<R = unknown> {
  readonly [ANSWER]: R;
}

type ArgsOf<F> = F extends (...args: infer A) => unknown ? A : never;
type ArgsAfterContext<F> = F extends (context: never, ...args: infer A) => unknown ? A : never;
type Answer<F> = F extends (...args: never) => infer R ? Unwrapped<Awaited<R>> : never;
type Unwrapped<R> = R extends NoReply<infer L> ? L : R;
