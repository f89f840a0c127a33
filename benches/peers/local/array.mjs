// A mailbox by hand: an array, searched from its start, and a promise if no message matches. No library has selective receive.
class Mailbox {
  letters = [];
  fits = undefined;
  resolve = undefined;

  send(letter) {
    if (this.fits?.(letter)) {
      const { resolve } = this;
      this.fits = this.resolve = undefined;
      resolve(letter);
    } else this.letters.push(letter);
  }

  receive(fits) {
    const at = this.letters.findIndex(fits);
    if (at >= 0) return Promise.resolve(this.letters.splice(at, 1)[0]);
    return new Promise((resolve) => {
      this.fits = fits;
      this.resolve = resolve;
    });
  }
}

const kinds = {
  scan: (mailbox, n) => {
    mailbox.send({ type: 'match', n });
    return mailbox.receive((letter) => letter.type === 'match' && letter.n === n);
  },
  tag: (mailbox, n) => {
    mailbox.send({ type: 'match', n });
    return mailbox.receive((letter) => letter.type === 'match');
  },
  fresh_ref: (mailbox, n) => {
    const ref = Symbol();
    mailbox.send([ref, n]);
    return mailbox.receive((letter) => letter[0] === ref);
  },
};

export async function selective(kind, queued, n) {
  const mailbox = new Mailbox();
  for (let i = 0; i < queued; i++) mailbox.send({ type: 'other', n: i });
  for (let i = 0; i < n; i++) await kinds[kind](mailbox, i);
}
