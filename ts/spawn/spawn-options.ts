import {
  checkFlag,
  checkNodeText,
  checkOptionNames,
  checkSignal,
  kindOf,
  type OptionNames,
  SnowmeshError,
} from '../errors/index.ts';
import type { ExitReason, MailboxLimit } from '../kernel/index.ts';
import type { Pid, Ref } from '../term/index.ts';

/** How an actor is spawned. As the options of Erlang's `spawn_opt`. */
export interface SpawnOptions {
  /** Links it to the spawning actor before it runs. Default false. */
  readonly link?: boolean | undefined;
  /** Makes the spawning actor monitor it before it runs. Default false. */
  readonly monitor?: boolean | undefined;
  /** Registers it under this local name. If another actor has the name, the spawn throws SNOW_ERR_NAME_TAKEN. Default: no name. */
  readonly name?: string | undefined;
  /** Its name in logs. Default: the name of the spec or function. */
  readonly label?: string | undefined;
  /** Limits its mailbox. Default: no limit; a mailbox of 10 000 messages is logged. */
  readonly mailbox?: MailboxLimit | undefined;
  /** Makes it trap exits before it runs. Default false. */
  readonly trapExit?: boolean | undefined;
}

/** How an actor is spawned on another node. */
export interface RemoteSpawnOptions {
  /** Links it to the spawning actor before it runs. Default false. */
  readonly link?: boolean | undefined;
  /** Makes the spawning actor monitor it before it runs; `spawnOn` returns the reference. Default false. */
  readonly monitor?: boolean | undefined;
  /**
   * When it fires before the reply of the other node, the promise rejects with its reason; a linked child then ends with `abandoned`,
   * any other child runs on.
   */
  readonly signal?: AbortSignal | undefined;
}

/** How an actor is started: as it is spawned, on which node, and how long its init may take. */
export interface StartOptions extends SpawnOptions {
  /** ms that the init may take; then the actor is killed. Default: Infinity. */
  readonly timeout?: number | undefined;
  /**
   * The full name of the node to start it on, which must expose the spec. Default: this node. Another node takes no `label`, `mailbox` and
   * `trapExit`: they throw SNOW_ERR_BAD_OPTION.
   */
  readonly node?: string | undefined;
}

const SPAWN_OPTIONS: OptionNames<SpawnOptions> = {
  link: true,
  monitor: true,
  name: true,
  label: true,
  mailbox: true,
  trapExit: true,
};
const START_OPTIONS: OptionNames<StartOptions> = { ...SPAWN_OPTIONS, timeout: true, node: true };
const REMOTE_SPAWN_OPTIONS: OptionNames<RemoteSpawnOptions> = { link: true, monitor: true, signal: true };

/**
 * Checks the options of a spawn.
 *
 * @param hasParent Whether an actor spawns. Code outside of actors can have neither a link nor a monitor.
 * @throws SNOW_ERR_BAD_OPTION.
 */
export function checkSpawnOptions(what: string, options: SpawnOptions, hasParent: boolean): void {
  checkOptionNames(what, options, SPAWN_OPTIONS);
  checkValues(what, options);
  if (hasParent || (options.link !== true && options.monitor !== true)) return;
  const option = options.link === true ? 'link' : 'monitor';
  throw new SnowmeshError(
    'SNOW_ERR_BAD_OPTION',
    `option ${option} of ${what} needs a spawning actor: call self.${what} in an actor instead of node.${what}`,
  );
}

/** {@link checkSpawnOptions} for a start. Code outside of actors may pass `link` and `monitor`: they are ignored. */
export function checkStartOptions(options: StartOptions): void {
  checkOptionNames('start', options, START_OPTIONS);
  checkValues('start', options);
  const { node } = options;
  if (node !== undefined && typeof node !== 'string')
    throw badOption('start', 'node', node, 'the name of a node');
  if (node !== undefined) checkNodeText(node);
}

/** Checks the options of a start on another node, which gets none of these. Throws SNOW_ERR_BAD_OPTION. */
export function checkFarStart(options: StartOptions): void {
  for (const option of ['label', 'mailbox', 'trapExit'] as const) {
    if (options[option] === undefined || options[option] === false) continue;
    const why = `option ${option} of start works on this node only: let the code that ${options.node} exposes set it, or spawn an actor with it`;
    throw new SnowmeshError('SNOW_ERR_BAD_OPTION', why);
  }
}

/** {@link checkSpawnOptions} for a spawn on another node. */
export function checkRemoteSpawnOptions(options: RemoteSpawnOptions): void {
  checkOptionNames('spawnOn', options, REMOTE_SPAWN_OPTIONS);
  checkFlag('spawnOn', 'link', options.link);
  checkFlag('spawnOn', 'monitor', options.monitor);
  checkSignal('spawnOn', options.signal);
}

function checkValues(what: string, options: SpawnOptions): void {
  const { link, monitor, label, trapExit, mailbox } = options;
  checkFlag(what, 'link', link);
  checkFlag(what, 'monitor', monitor);
  checkFlag(what, 'trapExit', trapExit);
  if (label !== undefined && typeof label !== 'string') throw badOption(what, 'label', label, 'a string');
  if (mailbox !== undefined && (typeof mailbox !== 'object' || mailbox === null))
    throw badOption(what, 'mailbox', mailbox, '{ max, policy }');
}

function badOption(what: string, option: string, given: unknown, wanted: string): SnowmeshError {
  return new SnowmeshError(
    'SNOW_ERR_BAD_OPTION',
    `option ${option} of ${what} is ${kindOf(given)}; it must be ${wanted}`,
  );
}

/**
 * How a start ended: the PID; `ignore`, if the init returned IGNORE; otherwise the reason. As the results of OTP's `start_link`.
 *
 * The `reason` is the exit reason of the init; `{ alreadyStarted: pid }` if another actor has the name; `timeout`; for another node
 * also `noconnection` or `unknown_function`.
 *
 * `ref`, with the option `monitor`, is the reference of the monitor. When the start fails it is there if a Down comes: there was an actor
 * or, after `timeout` of a start on another node, perhaps one. The Down of the latter names spec and node instead of a PID.
 */
export type StartResult<M = unknown> =
  | { readonly ok: true; readonly pid: Pid<M>; readonly ref: Ref | undefined }
  | { readonly ok: false; readonly ignore: true; readonly ref?: Ref | undefined }
  | {
      readonly ok: false;
      readonly ignore?: undefined;
      readonly reason: ExitReason;
      readonly ref?: Ref | undefined;
    };
