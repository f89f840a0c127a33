import { afterEach, expect, it } from 'vitest';
import { checkEngine } from '../../../ts/errors/engine.ts';

const versions = Object.getOwnPropertyDescriptor(process, 'versions') as PropertyDescriptor;
afterEach(() => void Object.defineProperty(process, 'versions', versions));

it.each(['20.19.0', '20.20.2', '22.3.0', '23.0.0', '100.1.0'])('Node.js %s runs it', (version) => {
  expect(() => checkEngine(version)).not.toThrow();
});

it.each(['16.20.2', '18.20.4', '20.18.3', '21.7.3', '22.2.0'])(
  'Node.js %s is refused in one sentence',
  (version) => {
    expect(() => checkEngine(version)).toThrow(
      `snowmesh needs Node.js 20.19, or 22.3 or later; this is ${version}.`,
    );
  },
);

it('is checked when the package is loaded', async () => {
  const old = { ...process.versions, node: '18.20.4' };
  Object.defineProperty(process, 'versions', { ...versions, value: old });
  await expect(import(/* @vite-ignore */ `../../../ts/errors/snowmesh-error.ts?${'old'}`)).rejects.toThrow(
    /needs Node\.js/,
  );
});
