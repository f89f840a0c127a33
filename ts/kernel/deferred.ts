// A promise and the two ways to settle it, without a closure for each promise.

/** What settles the promise made last. Read it at once: the next one overwrites it. */
export const latest: { resolve: (value: unknown) => void; reject: (reason: unknown) => void } = {
  resolve: () => {},
  reject: () => {},
};

/** A pending promise; `latest` settles it. */
export function deferred(): Promise<unknown> {
  return new Promise(capture);
}

function capture(resolve: (value: unknown) => void, reject: (reason: unknown) => void): void {
  latest.resolve = resolve;
  latest.reject = reject;
}
