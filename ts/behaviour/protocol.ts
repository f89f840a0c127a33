import type { NodeAddress } from '../actor/index.ts';
import type { Pid } from '../term/index.ts';

/** What may be asked of a server: calls by tag, casts by tag, and the plain messages it takes. A type only. */
export interface Protocol {
  readonly calls: object;
  readonly casts: object;
  readonly info: unknown;
}

declare const PROTOCOL: unique symbol;

/** The PID of a server that speaks `P`: sendable like any PID, and typed for `call` and `cast`. */
export type ServerRef<P extends Protocol> = Pid<P['info']> & { readonly [PROTOCOL]?: P };

/** A local name under which a server that speaks `P` is, or will be, registered. */
export type ServerName<P extends Protocol> = string & { readonly [PROTOCOL]?: P };

/** A name on a node under which a server that speaks `P` is, or will be, registered. */
export type ServerAddress<P extends Protocol> = NodeAddress & { readonly [PROTOCOL]?: P };

/** Whatever reaches a server that speaks `P`. */
export type ServerDest<P extends Protocol> = ServerRef<P> | ServerName<P> | ServerAddress<P>;

/** A destination of which no protocol is known. */
export type UntypedDest = (Pid | string | NodeAddress) & { readonly [PROTOCOL]?: never };

/** The protocol that handlers make: calls `C`, casts `K`, plain messages `M`. */
export interface ProtocolOf<C, K, M> extends Protocol {
  readonly calls: { readonly [T in keyof C]: (...args: ArgsAfterContext<C[T]>) => Answer<C[T]> };
  readonly casts: { readonly [T in keyof K]: (...args: ArgsAfterContext<K[T]>) => void };
  readonly info: M;
}

/** The tags of the calls of `P`. */
export type CallTag<P extends Protocol> = Extract<keyof P['calls'], string>;
/** The tags of the casts of `P`. */
export type CastTag<P extends Protocol> = Extract<keyof P['casts'], string>;
/** What a call with tag `T` takes. */
export type CallArgs<P extends Protocol, T extends CallTag<P>> = ArgsOf<P['calls'][T]>;
/** What a cast with tag `T` takes. */
export type CastArgs<P extends Protocol, T extends CastTag<P>> = ArgsOf<P['casts'][T]>;
/** What a call with tag `T` resolves to. */
export type CallAnswer<P extends Protocol, T extends CallTag<P>> = P['calls'][T] extends (
  ...args: never
) => infer R
  ? R
  : never;

declare const ANSWER: unique symbol;

/** What a call handler returns when the answer comes later: see `noReply`. */
export interface NoReply<R = unknown> {
  readonly [ANSWER]: R;
}

type ArgsOf<F> = F extends (...args: infer A) => unknown ? A : never;
type ArgsAfterContext<F> = F extends (context: never, ...args: infer A) => unknown ? A : never;
type Answer<F> = F extends (...args: never) => infer R ? Unwrapped<Awaited<R>> : never;
type Unwrapped<R> = R extends NoReply<infer L> ? L : R;
