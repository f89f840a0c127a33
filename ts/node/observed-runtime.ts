// A runtime that emits events and shows what it does: what a node is before it deals with other nodes.
import { EventEmitter } from 'node:events';
import { inspect } from 'node:util';
import { checkTimeout, Runtime, type RuntimeOptions } from '../actor/index.ts';
import { checkOptionNames, type OptionNames } from '../errors/index.ts';
import {
  checkedPage,
  checkedTree,
  type Introspection,
  type IntrospectOptions,
  Introspector,
  type Page,
  type PageOptions,
  type ProcessInfo,
  type ProcessSummary,
  portraitOf,
  type SupervisionTree,
  type TreeOptions,
} from '../introspect/index.ts';
import { checkPid } from '../send/index.ts';
import type { Pid } from '../term/index.ts';
import type { ChannelPeer } from './channels.ts';
import type { NodeEvents } from './node-events.ts';
import { parseNodeName } from './node-name.ts';

/** A class has one base only, so this one gets the methods of EventEmitter from here. */
const EmittingRuntime = class extends Runtime {} as new (
  options: RuntimeOptions,
) => Runtime & EventEmitter<NodeEvents>;
const { constructor: _, ...methods } = Object.getOwnPropertyDescriptors(EventEmitter.prototype);
Object.defineProperties(EmittingRuntime.prototype, methods);

const INTROSPECT_OPTIONS: OptionNames<IntrospectOptions> = { timeout: true };
const ANSWER_MS = 5000;

/** How it shows itself to others. */
export interface ObservedOptions extends RuntimeOptions {
  /** Whether other nodes may introspect it. */
  readonly introspection: boolean;
}

/** See {@link Node}. */
export abstract class ObservedRuntime extends EmittingRuntime {
  /** @internal */ readonly introspector: Introspector<ChannelPeer>;

  /** @internal */
  constructor(options: ObservedOptions) {
    super(options);
    this.introspector = new Introspector(this, this, options.introspection);
  }

  /** @internal What `console.log` prints: about five lines. */
  override [inspect.custom](depth: number): string {
    return depth < 0 ? `[Node ${this.name}]` : portraitOf(this, this);
  }

  /** Its full name. */
  abstract get name(): string;
  /** Whether it was started with `hidden`. */
  abstract get isHidden(): boolean;

  /**
   * The actors of this node, a part at a time, in the order of their start. O(limit + actors / 256).
   *
   * @throws SNOW_ERR_BAD_OPTION.
   * @example
   * const { items, total } = node.processes({ limit: 20 });
   */
  processes(options: PageOptions = {}): Page<ProcessSummary> {
    return this.introspector.view.processes(checkedPage(options));
  }

  /**
   * Everything about one actor of this node, as Erlang's `process_info`. O(1).
   *
   * @returns undefined for one that is dead or lives on another node: `node.introspect(name)` asks that.
   * @throws SNOW_ERR_BAD_DEST for what is no PID.
   * @example
   * node.processInfo(pid)?.mailbox; // messages that wait
   */
  processInfo(pid: Pid<never>): ProcessInfo | undefined {
    checkPid('processInfo', pid);
    return this.introspector.view.process(pid as Pid);
  }

  /**
   * The supervisors of this node and what is below them, without asking them: those that wait for a child are there, too. O(limit + supervisors).
   *
   * @throws SNOW_ERR_BAD_OPTION.
   * @example
   * for (const { label, children } of node.tree().roots) console.log(label, children.length);
   */
  tree(options: TreeOptions = {}): SupervisionTree {
    return this.introspector.view.treeAtOnce(checkedTree(options));
  }

  /**
   * A view of a node: of this one, or of any other that is connected. Other nodes answer to who holds the cookie, unless they were started with
   * `introspection: false`.
   *
   * @param name its full name; default: this node.
   * @param options.timeout ms for each answer; default 5000.
   * @throws SNOW_ERR_NODE_NAME, SNOW_ERR_BAD_OPTION, SNOW_ERR_BAD_TIME. The methods of the view reject with SNOW_ERR_INTROSPECTION.
   * @example
   * const overview = await node.introspect('shop@10.0.0.2:9000').overview();
   */
  introspect(name: string = this.name, options: IntrospectOptions = {}): Introspection {
    checkOptionNames('introspect', options, INTROSPECT_OPTIONS);
    const full = name === this.name ? name : parseNodeName(name).full;
    return this.introspector.of(
      full,
      checkTimeout(options.timeout === undefined ? ANSWER_MS : options.timeout),
    );
  }
}
