// What a port mapper and its clients read out of bytes, whatever the other side sends.
import { expect, it } from 'vitest';
import { LineCutter, readAnswer, readRequest } from '../../../ts/discovery/portmap-protocol.ts';
import { randomFrom, seeds } from '../../support/seed.ts';

/** What comes out when bytes arrive in these parts: lines, and whether one is too long. */
function cut(parts: readonly Buffer[]): string[] {
  const lines = new LineCutter();
  const out: string[] = [];
  for (const part of parts) {
    lines.push(part);
    for (let next = lines.next(); next !== undefined; next = lines.next()) {
      if (next === 'too_long') return [...out, next];
      out.push(next.line);
    }
  }
  return out;
}

it.each(seeds())('T6 lines are the same however their bytes arrive, with the seed %i', (start) => {
  const random = randomFrom(start);
  for (let run = 0; run < 200; run++) {
    const lines = Array.from({ length: 5 }, () => 'ä'.repeat(random() < 0.5 ? 0 : random() * 2048));
    const bytes = Buffer.from(`${lines.join('\n')}\n`);
    const parts: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + 1 + Math.floor(random() * 3000));
      parts.push(bytes.subarray(at, end));
      at = end;
    }
    expect(cut(parts)).toEqual(lines);
    expect(cut([bytes])).toEqual(lines);
  }
});

it('T5 a line has at most 4096 bytes, whether its end has come or not', () => {
  const most = 'x'.repeat(4096);
  expect(cut([Buffer.from(`${most}\n`)])).toEqual([most]);
  expect(cut([Buffer.from(most)])).toEqual([]);
  expect(cut([Buffer.from(`${most}x\n`)])).toEqual(['too_long']);
  expect(cut([Buffer.from(`${most}x`)])).toEqual(['too_long']);
  expect(cut([Buffer.from(`\n${most}`), Buffer.from('x')])).toEqual(['', 'too_long']);
});

it.each(['', 'x', 'null', '1', '"list"', '[]', '{', '{"op":null}', '{"op":"list"'])(
  'T5 the line %j is neither a request nor an answer',
  (line) => {
    expect([readRequest(line), readAnswer(line)]).toEqual([undefined, undefined]);
  },
);

it('U5 a registration has a name, a port and an incarnation of at most 64 characters', () => {
  const good = { op: 'register', name: 'a', port: 1, incarnation: 'i'.repeat(64) };
  expect(readRequest(JSON.stringify({ ...good, more: 1 }))).toEqual(good);
  const wrong = {
    op: ['Register', 1],
    name: ['', 'a b', 'a@b', 'n'.repeat(300), 1],
    port: [0, 65_536, 1.5, '1', null],
    incarnation: ['', 'i'.repeat(65), 1, null],
  };
  for (const [field, values] of Object.entries(wrong))
    for (const value of values)
      expect(readRequest(JSON.stringify({ ...good, [field]: value })), `${field} ${value}`).toBeUndefined();
});

it('an answer is an entry, the end of a list, a port, or a refusal that is known', () => {
  const read = (answer: object): unknown => readAnswer(JSON.stringify(answer));
  expect(read({ name: 'a', port: 65_535 })).toEqual({ entry: { name: 'a', port: 65_535 } });
  expect([read({ ok: true }), read({ ok: true, port: null })]).toEqual([
    { port: undefined },
    { port: undefined },
  ]);
  expect(read({ ok: true, port: 1 })).toEqual({ port: 1 });
  expect(read({ error: 'taken', ok: true })).toEqual({ refusal: 'taken' });
  for (const wrong of [
    { ok: 1 },
    { ok: true, port: 0 },
    { error: 'no' },
    { name: 'a' },
    { name: '', port: 1 },
  ])
    expect(read(wrong), JSON.stringify(wrong)).toBeUndefined();
});
