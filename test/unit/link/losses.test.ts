// Links and monitors that go with their node: gone at once, their places cleared together.
import { describe, expect, it } from 'vitest';
import { Links, Monitor, Watches } from '../../../ts/link/index.ts';
import { Pid, Ref } from '../../../ts/term/index.ts';

const us = new Pid(0, 1);
const [LOST, KEPT] = [256, 512];

describe.each([3, 8, 9, 200])('%d on each of two nodes', (count) => {
  const partners = (nc: number): Pid[] => Array.from({ length: count }, (_, at) => new Pid(nc, at + 1));

  it('C1 links of the lost node are gone, those of the other stay, and new ones can be made', () => {
    const links = new Links(us);
    for (const [at, partner] of partners(LOST).entries()) {
      links.link(partner);
      links.link(partners(KEPT)[at] as Pid);
    }
    for (const made of [...links]) if (made.partner.nc === LOST) links.lose(made);
    for (const partner of partners(LOST)) expect(links.find(partner)).toBeUndefined();
    const again = partners(LOST)[1] as Pid;
    expect(links.link(again)).toBeDefined();
    links.sweep();
    expect(links.size).toBe(count + 1);
    expect([...links].every((made) => made.partner.nc === KEPT || made.partner.equals(again))).toBe(true);
    for (const partner of partners(KEPT)) expect(links.remove(partner)?.partner).toEqual(partner);
    expect([links.has(again), links.size]).toEqual([true, 1]);
  });

  it('D7 monitors of the lost node are over, and over once, those of the other stay', () => {
    const watches = new Watches();
    const made = [LOST, KEPT].flatMap((nc) =>
      partners(nc).map((target) => new Monitor(new Ref(0, 1, nc + target.local), us, target)),
    );
    for (const monitor of made) watches.add(monitor);
    const [first] = made as [Monitor];
    expect(watches.take(first.ref)).toBe(first);
    const lost = made.filter((monitor) => monitor.node === LOST);
    expect(lost.map((monitor) => watches.lose(monitor))).toEqual(lost.map((monitor) => monitor !== first));
    for (const monitor of lost) {
      expect(watches.take(monitor.ref)).toBeUndefined();
      expect(watches.lose(monitor)).toBe(false);
    }
    watches.sweep();
    expect(watches.size).toBe(count);
    for (const monitor of made.slice(count)) expect(watches.take(monitor.ref)).toBe(monitor);
    expect(watches.size).toBe(0);
  });

  it('D7 nothing is left when all were of the lost node', () => {
    const [links, watches] = [new Links(us), new Watches()];
    const made = partners(LOST).map((target) => new Monitor(new Ref(0, 1, target.local), us, target));
    for (const partner of partners(LOST)) links.link(partner);
    for (const monitor of made) watches.add(monitor);
    for (const link of [...links]) links.lose(link);
    for (const monitor of made) watches.lose(monitor);
    for (const places of [links, watches]) {
      places.sweep();
      expect(places.size).toBe(0);
    }
  });
});
