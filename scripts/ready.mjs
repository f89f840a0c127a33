// npm run ready: formats the sources, then runs all checks of CI (npm test).
import { join } from 'node:path';
import { findCargo, root, run, runMain, SetupError, setup } from './setup.mjs';

const NO_CARGO =
  '`npm run ready` checks the Rust part too, and no `cargo` was found: install Rust from https://rustup.rs.';

await runMain(() => {
  setup({ native: false, compile: false });
  if (!findCargo()) throw new SetupError(NO_CARGO);
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
  run(process.execPath, [biome, 'check', '--write', '.']);
  run('cargo', ['fmt', '--manifest-path', 'native/Cargo.toml', '--all']);
  return run(process.execPath, [join(root, 'scripts/test.mjs')]);
});
