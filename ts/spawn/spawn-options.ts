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

/** How an actor is spawned. By default it has no ties, no name, and no limit. */
export interface SpawnOptions {
  /** Linked to the spawning actor from its first moment. Default false. */
  readonly link?: boolean;
  /** Monitored by the spawning actor from its first moment. Default false. */
  readonly monitor?: boolean;
  /** A local name; taken: the spawn throws SNOW_ERR_NAME_TAKEN and starts nothing. */
  readonly name?: string;
  /** For logs. Default: the spec's or function's name. */
  readonly label?: string;
  /** Default: no limit. */
  readonly mailbox?: MailboxLimit;
  /** Gets exit signals as messages from its first moment. Default false. */
  readonly trapExit?: boolean;
}

/** How an actor is spawned on another node. */
export interface RemoteSpawnOptions {
  /** Linked from its first moment. Default false. */
  readonly link?: boolean;
  /** Monitored from its first moment; its reference comes with the PID. Default false. */
  readonly monitor?: boolean;
  /** Gives up: the promise rejects with the signal's reason, and a linked child ends with `abandoned`. */
  readonly signal?: AbortSignal;
}

/** How an actor is started: as it is spawned, and where, and how long that may take. */
export interface StartOptions extends SpawnOptions {
  /** ms that init may take. Default: Infinity. */
  readonly timeout?: number;
  /** Start it there instead of here; the spec must be known there. */
  readonly node?: string;
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
 * Refuses options that do not exist, and values that they cannot have.
 *
 * @param hasParent Whether an actor spawns: code outside of actors can have neither a link nor a monitor.
 * @throws SNOW_ERR_BAD_OPTION.
 */
export function checkSpawnOptions(what: string, options: SpawnOptions, hasParent: boolean): void {
  checkOptionNames(what, options, SPAWN_OPTIONS);
  checkValues(what, options);
  if (hasParent || (options.link !== true && options.monitor !== true)) return;
  const option = options.link === true ? 'link' : 'monitor';
  throw new SnowmeshError(
    'SNOW_ERR_BAD_OPTION',
    `option ${option} of ${what} needs an actor that spawns: use its \`self\`, not the node`,
  );
}

/** {@link checkSpawnOptions} for a start: without an actor that starts, a link or monitor is left out. */
export function checkStartOptions(options: StartOptions): void {
  checkOptionNames('start', options, START_OPTIONS);
  checkValues('start', options);
  const { node } = options;
  if (node !== undefined && typeof node !== 'string')
    throw badOption('start', 'node', node, 'the name of a node');
  if (node !== undefined) checkNodeText(node);
}

/** {@link checkSpawnOptions} for another node. */
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

/** How a start ended. */
export type StartResult<M = unknown> =
  | { readonly ok: true; readonly pid: Pid<M>; readonly ref: Ref | undefined }
  | { readonly ok: false; readonly ignore: true; readonly ref?: Ref | undefined }
  | {
      readonly ok: false;
      readonly ignore?: undefined;
      readonly reason: ExitReason;
      /** The reference of the monitor that was asked for: its Down comes, too. */
      readonly ref?: Ref | undefined;
    };
