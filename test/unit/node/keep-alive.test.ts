import { afterEach, describe, expect, it } from 'vitest';
import { killChildren, startChild } from '../../support/child.ts';

afterEach(killChildren);

async function outputOf(scenario: string): Promise<string> {
  const child = startChild(new URL('nameless-child.ts', import.meta.url), { args: [scenario] });
  expect(await child.exit()).toEqual({ code: 0, signal: null });
  return child.stdout().trim();
}

describe('a node without a name', () => {
  it.each(['timer', 'timers one after the other', 'a timer behind a cancelled one', 'call', 'unref and ref'])(
    'V5 keeps its process alive while something waits for a timer: %s',
    async (scenario) => {
      expect(await outputOf(scenario)).toBe('slept');
    },
  );

  it.each(['nothing', 'a cancelled timer', 'the timer of a dead actor', 'unref', 'unref later', 'stop'])(
    'V5 lets its process end otherwise: %s',
    async (scenario) => {
      expect(await outputOf(scenario)).toBe('');
    },
  );
});
