// The limits of the outbox that docs/security.md names are those of the code.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkOptions } from '../../../ts/node/options.ts';
import { root } from '../../support/child.ts';

const MIB = 1024 * 1024;
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

it('what may wait for a peer is what docs/security.md says', () => {
  const { limit, maxMessage, waiting } = checkOptions({});
  const [, margin] = /SYSTEM_MARGIN = (\d+) \* 1024 \* 1024/.exec(read('ts/node/start.ts')) ?? [];
  const inAll = limit / MIB + maxMessage / MIB + Number(margin);
  const page = read('docs/security.md');
  expect(page).toContain(`| unsent output | ${limit / MIB} MiB a session (\`outbox.limit\`)`);
  expect(page).toContain(`\`outbox.limit\` + \`maxMessage\` + ${margin} MiB: ${inAll} MiB a session;`);
  expect(page).toContain(`\`maxMessage\` more: ${inAll + maxMessage / MIB} MiB |`);
  expect(page).toContain(`${waiting / MIB} MiB a node (\`outbox.waiting\`)`);
});

it('the default of the native core is what bindings/index.ts says', () => {
  const [, shifted] = /outbox_bytes: (\d+) << 20/.exec(read('native/net/src/options.rs')) ?? [];
  const text = (Number(shifted) * MIB).toLocaleString('en').replaceAll(',', ' ');
  expect(read('bindings/index.ts')).toContain(`Default ${text}; a node passes \`outbox.limit\``);
});
