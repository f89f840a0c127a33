// What any client may send: it is answered or closed, and nobody else notices.
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Rooms } from '../../ts/rooms/index.ts';
import { readCursor, TokenSigner } from '../../ts/rooms/token-signer.ts';
import { check, checkAsync } from '../support/seed.ts';
import { FakeClient } from '../unit/rooms/fake-socket.ts';
import { Stage } from '../unit/rooms/stage.ts';

let stage: Stage;
let rooms: [Rooms, Rooms, Rooms];
beforeEach(() => void (stage = new Stage()));
afterEach(() => stage.mesh.stop());

/** Names: good ones, those at the limits, other text, and what is no text. */
const name = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('g', 'h', 'no') },
  fc.constantFrom(
    '',
    '\0',
    '\0alice',
    '\ud800',
    'x'.repeat(255),
    'x'.repeat(256),
    'é'.repeat(128),
    '__proto__',
  ),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.jsonValue(),
);
const number = fc.oneof(
  { weight: 4, arbitrary: fc.nat(3) },
  fc.constantFrom(-1, 0.5, 2 ** 32 - 1, 2 ** 32, 2 ** 53, 1e308),
  fc.jsonValue(),
);
const cursor = fc.oneof(
  fc.dictionary(fc.constantFrom('a', 'zzz', '__proto__', 'constructor', 'A', ''), number),
  fc.jsonValue(),
);

/** A token or ticket: none, text, or a real one that was changed. Told apart when it is known: it is made in the run. */
type Proof = { readonly change: 'none' | 'cut' | 'flip' | 'part'; readonly at: number } | string | null;
const proof: fc.Arbitrary<Proof> = fc.oneof(
  fc.record({ change: fc.constantFrom('none', 'none', 'cut', 'flip', 'part'), at: fc.nat(400) }),
  fc.constantFrom(null, '', '..', 'a.b.c'),
  fc.string({ maxLength: 40 }),
) as fc.Arbitrary<Proof>;

function changed(given: Proof, real: string): unknown {
  if (given === null || typeof given === 'string') return given;
  const at = given.at % real.length;
  switch (given.change) {
    case 'none':
      return real;
    case 'cut':
      return real.slice(0, at);
    case 'flip':
      return `${real.slice(0, at)}${real[at] === 'A' ? 'B' : 'A'}${real.slice(at + 1)}`;
    case 'part':
      return real.split('.').slice(0, 2).join('.');
  }
}

/** What a client says, given a session and a ticket for `g` that are real. */
type Say = (session: string, ticket: string) => string | Uint8Array;

const json =
  (message: unknown): Say =>
  () =>
    JSON.stringify(message);
const place = fc.tuple(name, proof, cursor);
const hello: fc.Arbitrary<Say> = fc
  .tuple(
    proof,
    fc.oneof(fc.array(place, { maxLength: 3 }), fc.jsonValue()),
    fc.oneof(fc.boolean(), fc.jsonValue()),
    fc.oneof(fc.nat(), fc.jsonValue()),
    fc.boolean(),
  )
  .map(
    ([token, places, fork, away, isLater]): Say =>
      (session, ticket) => {
        const all = Array.isArray(places)
          ? places.map((each: unknown) =>
              Array.isArray(each) && each.length === 3
                ? [each[0], changed(each[1] as Proof, ticket), each[2]]
                : each,
            )
          : places;
        return JSON.stringify(
          isLater ? ['resume', all] : ['hello', changed(token, session), all, fork, away],
        );
      },
  );
const goodHello: fc.Arbitrary<Say> = fc.constant(json(['hello', null, [], false, 0]));
const said: fc.Arbitrary<Say> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom('join', 'leave'), number, name).map(json) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('send'), number, fc.jsonValue()).map(json) },
  fc.constant(json(['beat'])),
  hello,
  fc.array(fc.jsonValue(), { maxLength: 4 }).map(json),
  fc.tuple(fc.constantFrom('hello', 'join', 'send', 'welcome', 'm'), fc.jsonValue()).map(json),
  fc.string({ unit: 'binary' }).map(
    (text): Say =>
      () =>
        text,
  ),
  fc.nat(3000).map(
    (depth): Say =>
      () =>
        '['.repeat(depth),
  ),
  fc.uint8Array({ maxLength: 40 }).map(
    (bytes): Say =>
      () =>
        bytes,
  ),
  fc.uint8Array({ maxLength: 40 }).map(
    (bytes): Say =>
      () =>
        Uint8Array.of(1, ...bytes),
  ),
);

const ANSWERS = /^(welcome|joined|resync|left|refused|m|d|ack|presence|present|beat)$/;

it('whatever a client sends, it is answered or only its own socket is closed', async () => {
  const taken: unknown[] = [];
  rooms = await stage.cluster({
    join: (_connection, room) => room !== 'no',
    message: (_connection, data) => void taken.push(data),
  });
  const { socket: bystander } = await stage.client(rooms[0], { joins: ['g'] });
  const { socket: before } = await stage.client(rooms[1], { key: 'alice', joins: ['g'] });
  const ticket = before.place('g')[1];
  before.drop();
  await stage.mesh.settle();
  let sent = 0;
  const script = fc.tuple(fc.oneof(goodHello, hello, said), fc.array(said, { maxLength: 6 }), fc.boolean());
  await checkAsync(
    fc.asyncProperty(script, async ([first, more, isAlice]) => {
      const client = new FakeClient();
      const connection = rooms[0].accept(client, isAlice ? { key: 'alice' } : {});
      for (const say of [first, ...more]) {
        client.say(say(before.session, ticket));
        await stage.mesh.settle();
      }
      if (client.closed !== undefined) expect([1008, 1009]).toContain(client.closed.code);
      for (const message of client.heard) expect(message[0]).toMatch(ANSWERS);
      for (const { name: room } of connection.joined) {
        expect(room).not.toBe('no');
        if (room.startsWith('\0')) expect([room, isAlice]).toEqual(['\0alice', true]);
      }
      client.drop();
      rooms[1].broadcast('g', ++sent);
      await stage.mesh.settle();
      expect(bystander.closed).toBeUndefined();
      expect(bystander.data('g').at(-1)).toBe(sent);
      expect(rooms[0].stats().connections).toBe(1);
    }),
    { numRuns: 200 },
  );
  expect(bystander.all('resync')).toEqual([]);
  expect(bystander.data('g')).toEqual(Array.from({ length: sent }, (_, index) => index + 1));
  expect(taken.length).toBeGreaterThan(10);
});

it('a claim is read completely or not at all, whatever a peer has signed', () => {
  const signer = new TokenSigner();
  const key = new Uint8Array(32).fill(7);
  signer.learn('peer', [['peer', key]]);
  const signed = (text: string): string => {
    const body = Buffer.from(text).toString('base64url');
    return `peer.${body}.${createHmac('sha256', key).update(body).digest('base64url')}`;
  };
  const claims = fc.oneof(
    fc.tuple(fc.constant('session'), fc.oneof(fc.constant('s'), fc.jsonValue()), number, fc.jsonValue()),
    fc.tuple(fc.constant('room'), fc.constant('s'), fc.constant('g'), cursor),
    fc.jsonValue(),
  );
  let read = 0;
  check(
    fc.property(
      fc.oneof(
        claims.map((claim) => JSON.stringify(claim)),
        fc.string(),
      ),
      (text) => {
        const claim = signer.readSession(signed(text));
        if (claim !== undefined) {
          read++;
          expect(claim.session).toMatch(/^[^]{1,64}$/);
          expect(Number.isSafeInteger(claim.generation + 1)).toBe(true);
          expect(['string', 'undefined']).toContain(typeof claim.key);
        }
        const from = signer.readTicket(signed(text), 's', 'g');
        for (const [origin, sequence] of Object.entries(from ?? {})) {
          read++;
          expect(origin).toMatch(/^[0-9a-z]{1,13}$/);
          expect(sequence).toBeLessThan(2 ** 48);
        }
      },
    ),
    { numRuns: 500 },
  );
  expect(read).toBeGreaterThan(0);
});

it('a token or ticket with one changed character is not valid', () => {
  const signer = new TokenSigner();
  const session = signer.sessionToken({ session: 's', generation: 1, key: 'alice' });
  const ticket = signer.ticket('s', 'g', { a: 5 });
  expect(signer.readSession(session)).toMatchObject({ session: 's', generation: 1, key: 'alice' });
  expect(signer.readTicket(ticket, 's', 'g')).toEqual({ a: 5 });
  // The last character of a MAC has two bits that mean nothing.
  const at = fc.nat(Math.min(session.length, ticket.length) - 2);
  check(
    fc.property(at, fc.constantFrom('A', 'Z', 'a', 'z', '0', '9', '-', '_', '.'), (index, letter) => {
      const put = (text: string): string => text.slice(0, index) + letter + text.slice(index + 1);
      if (put(session) !== session) expect(signer.readSession(put(session))).toBeUndefined();
      if (put(ticket) !== ticket) expect(signer.readTicket(put(ticket), 's', 'g')).toBeUndefined();
    }),
  );
});

it('a cursor is read completely or not at all, and never below what was signed', () => {
  check(
    fc.property(cursor, (value) => {
      const read = readCursor(value, { a: 5 });
      if (read === undefined) return;
      if ('a' in read) expect(read['a']).toBeGreaterThanOrEqual(5);
      for (const each of Object.values(read)) expect(Number.isSafeInteger(each)).toBe(true);
    }),
  );
});
