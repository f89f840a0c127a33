// The table of one actor's links, against the link protocol of docs/wire.md.
import { beforeEach, describe, expect, it } from 'vitest';
import { Links } from '../../../ts/link/index.ts';
import { Pid } from '../../../ts/term/index.ts';

const us = new Pid(0, 1);
const partner = new Pid(256, 7);
let links: Links;
beforeEach(() => {
  links = new Links(us);
});

describe('a link taken down and made again before the acknowledgement', () => {
  beforeEach(() => {
    links.link(partner);
    links.unlinkRemote(partner, 1);
    expect(links.link(partner)).toBeDefined();
  });

  it('C12, C14 ignores exits of the old link, not of the new one', () => {
    expect(links.has(partner)).toBe(true);
    expect(links.partnerExited(partner)).toBeUndefined();
    expect(links.acknowledged(partner, 1)).toBeUndefined();
    expect(links.has(partner)).toBe(true);
    expect(links.partnerExited(partner)).toBeDefined();
    expect(links.size).toBe(0);
  });

  it('C13 goes when the partner had unlinked meanwhile, for it ignores our link', () => {
    expect(links.unlinkedBy(partner)).toBeUndefined();
    expect(links.has(partner)).toBe(false);
    expect(links.acknowledged(partner, 1)).toBeDefined();
    expect(links.size).toBe(0);
  });

  it('C13 goes when it is taken down again, with the last acknowledgement only', () => {
    expect(links.unlinkRemote(partner, 2)).toBe(true);
    expect(links.acknowledged(partner, 1)).toBeUndefined();
    expect(links.has(partner)).toBe(false);
    expect(links.acknowledged(partner, 2)).toBeDefined();
    expect(links.size).toBe(0);
  });
});

it('T12 an acknowledgement nobody asked for takes no link down', () => {
  links.link(partner);
  for (const id of [0, 1]) expect(links.acknowledged(partner, id)).toBeUndefined();
  expect(links.has(partner)).toBe(true);
});
