// A runtime with events and introspection: the part of Node that works without a cluster.
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
  nodeText,
  type Page,
  type PageOptions,
  type ProcessInfo,
  type ProcessSummary,
  type SupervisionTree,
  type TreeOptions,
} from '../introspect/index.ts';
import { checkPid } from '../send/index.ts';
import type { Pid } from '../term/index.ts';
import type { ChannelPeer } from './channels.ts';
import type { NodeEvents } from './node-events.ts';
import { parseNodeName } from './node-name.ts';

/** A class has one base only: the methods of EventEmitter are copied onto this one. */
const EmittingRuntime = class extends Runtime {} as new (
  options: RuntimeOptions,
) => Runtime & EventEmitter<NodeEvents>;
const { constructor: _, ...methods } = Object.getOwnPropertyDescriptors(EventEmitter.prototype);
Object.defineProperties(EmittingRuntime.prototype, methods);

const INTROSPECT_OPTIONS: OptionNames<IntrospectOptions> = { timeout: true };
const ANSWER_MS = 5000;

/** The options of a runtime with introspection. */
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
    return depth < 0 ? `[Node ${this.name}]` : nodeText(this, this);
  }

  /** @internal What a log of JSON lines gets: its name. */
  override toJSON(): string {
    return this.name;
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
   * @returns undefined when the actor is dead or lives on another node: `node.introspect(name)` asks that node.
   * @throws SNOW_ERR_BAD_DEST when `pid` is not a PID.
   * @example
   * node.processInfo(pid)?.mailbox; // the number of messages in its mailbox
   */
  processInfo(pid: Pid<never>): ProcessInfo | undefined {
    checkPid('processInfo', pid);
    return this.introspector.view.process(pid as Pid);
  }

  /**
   * The supervisors of this node and their children. It sends no message, so it shows also a supervisor that waits for a child.
   * O(limit + supervisors).
   *
   * @throws SNOW_ERR_BAD_OPTION.
   * @example
   * for (const { label, children } of node.tree().roots) console.log(label, children.length);
   */
  tree(options: TreeOptions = {}): SupervisionTree {
    return this.introspector.view.treeAtOnce(checkedTree(options));
  }

  /**
   * A view of this node, or of any connected one. A node answers every node of the cluster, unless it was started with
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
