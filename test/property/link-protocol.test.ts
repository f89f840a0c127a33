// Two actors on two nodes link and unlink in any order, one of them may die, and their frames cross on the wire in every
// way. Once the wire is empty both ends agree (C13); and no exit of a link that was taken down gets through to one that
// was made since (C12, C14).
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Links } from '../../ts/link/index.ts';
import { Pid } from '../../ts/term/index.ts';
import { check } from '../support/seed.ts';

interface Frame {
  readonly tag: 'LINK' | 'UNLINK' | 'UNLINK_ACK' | 'EXIT';
  readonly id: number;
}

/** An answer of the dead speaks of no link in particular, and is true of each. */
const NOPROC = Number.POSITIVE_INFINITY;

/** One actor with its links, as the actor layer drives them (signals.ts, inbound.ts). */
class End {
  readonly links: Links;
  /** Frames to the partner, oldest first. */
  readonly out: Frame[] = [];
  /** Numbers our links: which one does an exit speak of? */
  made = 0;
  /** The partner's link that we heard of last. */
  heard = 0;
  isDead = false;
  readonly faults: string[] = [];
  private unlinkIds = 0;
  private readonly partner: Pid;

  constructor(own: Pid, partner: Pid) {
    this.links = new Links(own);
    this.partner = partner;
  }

  get isLinked(): boolean {
    return !this.isDead && this.links.has(this.partner);
  }

  link(): void {
    if (this.isDead || this.links.link(this.partner) === undefined) return;
    this.made += 1;
    this.send('LINK', this.made);
  }

  unlink(): void {
    if (this.isDead) return;
    const id = ++this.unlinkIds;
    if (this.links.unlinkRemote(this.partner, id)) this.send('UNLINK', id);
  }

  die(): void {
    if (this.isDead) return;
    if (this.isLinked) this.send('EXIT', this.heard);
    this.isDead = true;
  }

  take({ tag, id }: Frame): void {
    if (tag === 'LINK' && this.isDead) this.send('EXIT', NOPROC);
    else if (tag === 'LINK') {
      this.links.linkedBy(this.partner);
      this.heard = id;
    } else if (tag === 'UNLINK') {
      if (!this.isDead) this.links.unlinkedBy(this.partner);
      this.send('UNLINK_ACK', id);
    } else if (tag === 'UNLINK_ACK') {
      if (!this.isDead) this.links.acknowledged(this.partner, id);
    } else if (!this.isDead && this.links.partnerExited(this.partner) !== undefined && id < this.made) {
      this.faults.push(`an exit of link ${id} ended link ${this.made}`);
    }
  }

  private send(tag: Frame['tag'], id: number): void {
    this.out.push({ tag, id });
  }
}

/** What happens: an end does something, or the oldest frame to it arrives. */
const step = fc.record({
  end: fc.constantFrom(0, 1 as const),
  what: fc.constantFrom('link', 'link', 'unlink', 'unlink', 'arrive', 'arrive', 'arrive', 'die' as const),
});

describe('the link protocol', () => {
  for (const canDie of [false, true]) {
    it(`C12, C13, C14 ends in agreement, whatever crosses${canDie ? ', also when one dies' : ''}`, () => {
      check(
        fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
          const ends = [
            new End(new Pid(0, 1), new Pid(256, 2)),
            new End(new Pid(0, 2), new Pid(256, 1)),
          ] as const;
          const arrive = (end: 0 | 1): void => {
            const frame = ends[(1 - end) as 0 | 1].out.shift();
            if (frame !== undefined) ends[end].take(frame);
          };
          for (const { end, what } of steps) {
            if (what === 'arrive') arrive(end);
            else if (what !== 'die') ends[end][what]();
            else if (canDie && end === 1) ends[1].die();
          }
          while (ends.some(({ out }) => out.length > 0)) {
            arrive(0);
            arrive(1);
          }
          const [a, b] = ends;
          expect(a.isLinked).toBe(b.isLinked);
          // Numbers tell the age of an exit only as long as the partner makes no links of its own.
          const isOneSided = !steps.some(({ end, what }) => end === 1 && what === 'link');
          if (isOneSided) expect(a.faults).toEqual([]);
        }),
        { numRuns: 20_000 },
      );
    });
  }
});
