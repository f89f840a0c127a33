// docs/from-erlang.md sends readers to names that there are.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as api from '../../../ts/index.ts';
import { root } from '../../support/child.ts';

/** The code in what stands for something of Erlang: the second and third cells of the tables. */
const code = readFileSync(join(root, 'docs/from-erlang.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.includes('| snowmesh |'))
  .flatMap((line) => line.split(' | ').slice(1))
  .flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text));

const namesIn = (pattern: RegExp): string[] =>
  code.flatMap((text) => [...text.matchAll(pattern)].map(([, name = '']) => name));
const missingIn = (where: object, pattern: RegExp): string[] => {
  const names = namesIn(pattern);
  expect(names.length).toBeGreaterThan(0);
  return names.filter((name) => !(name in where));
};

it('methods of an actor', () => expect(missingIn(api.Self.prototype, /\bself\.(\w+)/g)).toEqual([]));
it('methods of a node', () => expect(missingIn(api.Node.prototype, /\bnode\.(\w+)/g)).toEqual([]));
it('functions', () => expect(missingIn(api, /(?<![\w.])(\w+)\(/g)).toEqual([]));
it('behaviours and requests', () =>
  expect(missingIn(api, /^((?:define|start|which|count|delete|terminate)\w+)$/g)).toEqual([]));
it('classes', () => expect(missingIn(api, /^([A-Z]\w*[a-z]\w*)$/g)).toEqual([]));
/** What stands for something of Erlang, or is said to be lacking: the first cells. */
const looked = readFileSync(join(root, 'docs/from-erlang.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) => line.split(' | ')[0]);
it.each([
  ...['handle_continue', 'process dictionary', 'hibernate', 'priority', 'after T', 'alias()', 'code_change'],
  ...[
    'sys:get_state',
    'sys:trace',
    'observer',
    'logger',
    'application:get_env',
    'monitor_nodes',
    'net_ticktime',
  ],
  ...[
    'pg',
    'global',
    'global:set_lock',
    'rpc:call',
    'erpc:call',
    'gen_statem',
    'gen_event',
    'ETS',
    'proc_lib',
  ],
])('has a row for %s', (name) => expect(looked.filter((cell) => cell?.includes(name))).not.toEqual([]));
it('error codes', () => expect(missingIn(api.ERRORS, /\b(SNOW_ERR_\w+)/g)).toEqual([]));
