// What Node.js itself offers for a million timers: setTimeout and clearTimeout.
export const timers = {
  start(n, delayOf) {
    const all = new Array(n);
    for (let i = 0; i < n; i++) all[i] = setTimeout(() => {}, delayOf(i));
    return all;
  },
  cancel(all) {
    for (const timer of all) clearTimeout(timer);
  },
  fire: (n, delayOf) =>
    new Promise((done) => {
      let left = n;
      const due = () => {
        if (--left === 0) done();
      };
      for (let i = 0; i < n; i++) setTimeout(due, delayOf(i));
    }),
};
