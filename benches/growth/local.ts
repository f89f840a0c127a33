// What one node holds: actors, links, waiting messages, names, groups.
import { type Pid, type Self, startGroups } from '../../ts/index.ts';
import type { BenchCase } from '../harness.ts';
import { type Lab, openLab } from '../lab.ts';
import { ladder } from './ladder.ts';

const IDLE = { onMessage(): void {} };

export const localGrowth: readonly BenchCase[] = [
  ladder({
    name: 'actors',
    about: 'Actors spawned, sent a message each and killed, at 10 to a million at once.',
    most: 1_000_000,
    async open() {
      const lab = await openLab();
      return { work: (size) => liveAndDie(lab, size), stop: () => lab.stop() };
    },
  }),
  ladder({
    name: 'links',
    about: 'Links of one actor made and taken back, at 10 to 100 000 at once.',
    most: 100_000,
    async open(_settings, most) {
      const lab = await openLab();
      const others = Array.from({ length: most }, () => lab.spawnHandler(() => IDLE));
      const self = await hub(lab);
      return {
        work(size) {
          for (let at = 0; at < size; at++) self.link(others[at] as Pid);
          for (let at = 0; at < size; at++) self.unlink(others[at] as Pid);
        },
        stop: () => lab.stop(),
      };
    },
  }),
  ladder({
    name: 'mailbox',
    about: 'Messages put into one mailbox and then received, at 10 to a million at once.',
    most: 1_000_000,
    async open() {
      const lab = await openLab();
      return { work: (size) => fillAndEmpty(lab, size), stop: () => lab.stop() };
    },
  }),
  ladder({
    name: 'names',
    about: 'Actors registered, looked up and unregistered, at 10 to 100 000 at once.',
    most: 100_000,
    async open(_settings, most) {
      const lab = await openLab();
      const pids = Array.from({ length: most }, () => lab.spawnHandler(() => IDLE));
      return {
        work(size) {
          for (let at = 0; at < size; at++) lab.register(`name-${at}`, pids[at] as Pid);
          for (let at = 0; at < size; at++) lab.whereis(`name-${at}`);
          for (let at = 0; at < size; at++) lab.unregister(`name-${at}`);
        },
        stop: () => lab.stop(),
      };
    },
  }),
  ladder({
    name: 'groups',
    about: 'Groups that one actor joins, and leaves, at 10 to 100 000 at once.',
    most: 100_000,
    async open() {
      const lab = await openLab({ name: 'groups@127.0.0.1:0', cookie: 'the cookie of a bench, 32 letters' });
      const groups = startGroups(lab);
      const member = lab.spawnHandler(() => IDLE);
      return {
        work(size) {
          for (let at = 0; at < size; at++) groups.join(`group-${at}`, member);
          for (let at = 0; at < size; at++) groups.members(`group-${at}`);
          for (let at = 0; at < size; at++) groups.leave(`group-${at}`, member);
        },
        stop: () => lab.stop(),
      };
    },
  }),
];

/** An actor that lives on, as others use it. */
function hub(lab: Lab): Promise<Self> {
  return new Promise((resolve) => {
    lab.spawnHandler((self) => {
      resolve(self as Self);
      return IDLE;
    });
  });
}

function liveAndDie(lab: Lab, size: number): Promise<void> {
  return new Promise((done) => {
    let left = size;
    const pids: Pid<string>[] = [];
    const onMessage = (): void => {
      if (--left > 0) return;
      for (const pid of pids) lab.sendExit(pid, 'kill');
      done();
    };
    const body = { onMessage };
    for (let at = 0; at < size; at++) pids.push(lab.spawnHandler(() => body));
    for (const pid of pids) lab.send(pid, 'go');
  });
}

function fillAndEmpty(lab: Lab, size: number): Promise<void> {
  return new Promise((done) => {
    lab.spawn(async (self: Self<number>) => {
      for (let n = 0; n < size; n++) self.send(self.pid, n);
      for (let left = size; left > 0; left--) await self.receive();
      done();
    });
  });
}
