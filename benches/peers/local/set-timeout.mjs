// What Node.js itself offers for a million timers: setTimeout and clearTimeout.
export async function timers(n, time) {
  const all = new Array(n);
  gc();
  const before = process.memoryUsage().heapUsed;
  const start = await time(() => {
    for (let i = 0; i < n; i++) all[i] = setTimeout(() => {}, 60_000 + ((i * 7919) % 600_000));
  });
  gc();
  const bytes = (process.memoryUsage().heapUsed - before) / n;
  const cancel = await time(() => {
    for (let i = 0; i < n; i++) clearTimeout(all[i]);
  });
  let left = n,
    late = 0;
  const fire = await time(
    () =>
      new Promise((done) => {
        for (let i = 0; i < n; i++)
          setTimeout(
            () => {
              if (--left === 0) done();
            },
            1 + (i % 100),
          );
      }),
  );
  return {
    start: [n / start, 'timers/s'],
    cancel: [n / cancel, 'timers/s'],
    fire: [n / fire, 'timers/s'],
    memory: [bytes, 'B/timer'],
  };
}
