// The tag of a message: what a receive can match by, and what is logged of it.
import { SystemMessage } from './system-message.ts';

/** Most characters of a tag in a log line. */
const MAX_LOGGED_LENGTH = 100;

/** The tag of a message: the string itself, the first element of an array, `type` of an object. */
export function tagOf(message: unknown): string | undefined {
  if (typeof message === 'string') return message;
  // No system message has a field `type`.
  if (typeof message !== 'object' || message === null) return undefined;
  const tag: unknown = Array.isArray(message) ? message[0] : (message as { type?: unknown }).type;
  return typeof tag === 'string' ? tag : undefined;
}

/** What a crash report prints of a message: its tag, or its class, whose name is read when the report is written. */
export type LoggedTag = string | { readonly name: string } | undefined;

/** The tag of a message for crash reports: shortened; undefined for a string, which is the whole message and may be private. */
export function loggedTag(message: unknown): LoggedTag {
  return message instanceof SystemMessage ? systemTag(message) : userTag(message);
}

/** {@link loggedTag} of a message of user code. */
export function userTag(message: unknown): LoggedTag {
  if (typeof message !== 'object') return undefined;
  const tag = tagOf(message);
  return tag === undefined ? undefined : shortTag(tag);
}

/** {@link loggedTag} of a message of the runtime. */
export function systemTag(message: SystemMessage): LoggedTag {
  const { tag } = message as { tag?: unknown }; // a call has one
  return typeof tag === 'string' ? shortTag(tag) : message.constructor;
}

/** The beginning of a tag, for the log: a peer chooses its length. */
export function shortTag(tag: string): string {
  return tag.length <= MAX_LOGGED_LENGTH ? tag : tag.slice(0, MAX_LOGGED_LENGTH);
}
