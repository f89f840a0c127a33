import { describe, expect, it } from 'vitest';
import { FRAGMENT_BYTES, MAX_SHAPES, Pid, TermTemplate } from '../../../ts/term/index.ts';
import { Line, SEND } from './frames.ts';
import { codeOf, same } from './outcome.ts';
import { refused, sendable } from './values.ts';

/** Sends a message that stands in a template: what arrives, and whether the template served. */
function post(
  line: Line,
  template: TermTemplate,
  value: unknown,
): { readonly back: unknown; readonly isServed: boolean } {
  const { writer } = line;
  writer.begin(SEND);
  const isServed = writer.template(template);
  if (!isServed) writer.term(value);
  const parts = writer.end();
  const [back] = line.receive(parts && Buffer.concat(parts));
  return { back, isServed };
}

describe('a term written once for many connections', () => {
  it.each(sendable)('B11 brings %s to every other side', (_name, make) => {
    const template = new TermTemplate();
    const [fresh, worn] = [new Line(), new Line()];
    // Numbers of shapes differ from one connection to the other.
    for (let n = 0; n < 7; n++) worn.receive(worn.send({ [`x${n}`]: { y: n } }));
    const plain = new Line();
    for (let time = 0; time < 3; time++) {
      const value = make();
      template.write(value);
      const expected = plain.receive(plain.send(value))[0];
      for (const line of [fresh, worn]) {
        same(post(line, template, value).back, expected);
      }
    }
  });

  it.each(refused)('B9 refuses %s as a frame does', (_name, make) => {
    const template = new TermTemplate();
    expect(codeOf(() => template.write(make()))).toBe(codeOf(() => new Line().send(make())));
    template.write('next');
    expect(post(new Line(), template, 'next')).toEqual({ back: 'next', isServed: true });
  });

  it('announces shapes and nodes to each connection once', () => {
    const template = new TermTemplate();
    const lines = [new Line(), new Line()];
    lines[1]?.receive(lines[1].send({ b: new Pid(9, 1) }));
    for (let n = 0; n < 3; n++) {
      const value = [{ a: n }, { b: new Pid(9, n) }, { a: new Pid(8, n) }];
      template.write(value);
      for (const line of lines) {
        const { back, isServed } = post(line, template, value);
        expect(isServed).toBe(true);
        same(back, value);
      }
    }
    expect(lines.map(({ shapes }) => shapes)).toEqual([
      [['a'], ['b']],
      [['b'], ['a']],
    ]);
    expect(lines.map(({ slots }) => slots.toSorted())).toEqual([
      [8, 9],
      [8, 9],
    ]);
  });

  it('leaves a connection that has no shape to give to write the message itself', () => {
    const template = new TermTemplate();
    const full = new Line();
    for (let n = 0; n < MAX_SHAPES; n++) full.receive(full.send({ [`key${n}`]: n }));
    const value = { a: { fresh: ['shape'] } };
    template.write(value);
    expect(post(full, template, value)).toEqual({ back: value, isServed: false });
  });

  it('leaves a long message to its frames, and keeps no memory for it', () => {
    const template = new TermTemplate();
    for (const value of ['x'.repeat(2 * FRAGMENT_BYTES), [new Uint8Array(FRAGMENT_BYTES)]]) {
      template.write(value);
      const { back, isServed } = post(new Line(), template, value);
      expect(isServed).toBe(false);
      same(back, value);
    }
    template.write(1);
    expect(template.buffer.length).toBeLessThan(FRAGMENT_BYTES);
  });

  it('B9 refuses to be written from within a getter of its own message', () => {
    const template = new TermTemplate();
    const hostile = {
      get inner() {
        template.write('another');
        return 1;
      },
    };
    expect(codeOf(() => template.write(hostile))).toBe('SNOW_ERR_UNSENDABLE');
    template.write('next');
    expect(template.isUsable).toBe(true);
  });
});
