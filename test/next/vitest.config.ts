// npm run test:next: Next.js is large, so `npm test` leaves it out.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/next/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 300_000,
    hookTimeout: 600_000,
    globalSetup: ['test/support/compiled.ts', 'test/support/prebuilt.ts'],
  },
});
