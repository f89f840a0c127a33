// What a client holds and shows again: of another client, for another room, changed or made up, it is worth nothing.
import { beforeEach, expect, it } from 'vitest';
import { readCursor, TokenSigner } from '../../../ts/rooms/token-signer.ts';

let signer: TokenSigner;
let ticket: string;
let token: string;
beforeEach(() => {
  signer = new TokenSigner();
  ticket = signer.ticket('one', 'g', { a: 5 });
  token = signer.sessionToken({ session: 'one', generation: 2, key: 'ann' });
});

it('a ticket is valid for its session and its room, from its sequences on', () => {
  expect(signer.readTicket(ticket, 'one', 'g')).toEqual({ a: 5 });
  expect(signer.readTicket(ticket, 'two', 'g')).toBeUndefined();
  expect(signer.readTicket(ticket, 'one', 'h')).toBeUndefined();
});

it('a cursor is no earlier than its ticket: it gives nothing from before the join', () => {
  expect(readCursor({ a: 1, b: 7 }, { a: 5, b: 5 })).toEqual({ a: 5, b: 7 });
});

it('a token names its session, how often it was resumed, its user, and who signed it', () => {
  expect(signer.readSession(token)).toEqual({
    session: 'one',
    generation: 2,
    key: 'ann',
    signedBy: token.split('.')[0],
  });
});

it('one is not the other', () => {
  expect(signer.readSession(ticket)).toBeUndefined();
  expect(signer.readTicket(token, 'one', 'g')).toBeUndefined();
});

it.each<[string, (text: string) => unknown]>([
  ['with another content', (text) => text.replace(/\.([^.]+)\./, `.${body(['session', 'two', 2, 'ann'])}.`)],
  ['with another signature', (text) => text.replace(/[^.]+$/, (mac) => mac.split('').toReversed().join(''))],
  ['with a shorter signature', (text) => text.slice(0, -4)],
  ['without a signature', (text) => text.replace(/[^.]+$/, '')],
  ['of an unknown node', (text) => text.replace(/^[^.]+/, 'nobody')],
  ['with more', (text) => `${text}.more`],
  ['that is no text', () => 7],
])('%s it is refused', (_how, change) => {
  expect(signer.readSession(change(token))).toBeUndefined();
  expect(signer.readTicket(change(ticket), 'one', 'g')).toBeUndefined();
});

it('those of another node are valid once its key is known', () => {
  const other = new TokenSigner();
  expect(other.readSession(token)).toBeUndefined();
  other.learn('a', signer.keys());
  expect(other.readSession(token)?.session).toBe('one');
  expect(other.readTicket(ticket, 'one', 'g')).toEqual({ a: 5 });
  other.learn('b', [[signer.id, new Uint8Array(32)]]); // nobody replaces it
  expect(other.readSession(token)?.session).toBe('one');
});

it('P7 keys are limited: a node that tells very many makes others lose none', () => {
  const other = new TokenSigner();
  const made = (count: number, prefix: string): [string, Uint8Array][] =>
    Array.from({ length: count }, (_, at) => [`${prefix}${at}`, new Uint8Array(32)]);
  other.learn('friend', [['friend', new Uint8Array(32)], ...signer.keys()]);
  for (let time = 0; time < 3; time++) other.learn('many', made(1024, `m${time}-`));
  expect(other.readSession(token)?.session).toBe('one');
  const kept = other.keys().map(([id]) => id);
  expect(kept).toHaveLength(1024); // as many as a message may have
  expect(kept[0]).toBe(other.id);
  expect(kept).toContain('friend');
  expect(kept).toContain('m2-0'); // its own
  expect(kept).not.toContain('m0-0');
});

const body = (claim: readonly unknown[]): string => Buffer.from(JSON.stringify(claim)).toString('base64url');
