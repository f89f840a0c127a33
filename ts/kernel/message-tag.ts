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

/** The tag of the message that a handler was called with. Of a cast it is the second element: the first is `$cast`. */
export function reportedTag(message: unknown): LoggedTag {
  if (message instanceof SystemMessage) return systemTag(message);
  const tag = userTag(message);
  return tag === '$cast' && Array.isArray(message) ? (userTag(message.slice(1, 2)) ?? tag) : tag;
}

/** The tag of a message of user code, shortened; undefined for a string, which is the whole message and may be private. */
export function userTag(message: unknown): LoggedTag {
  if (typeof message !== 'object') return undefined;
  const tag = tagOf(message);
  return tag === undefined ? undefined : shortTag(tag);
}

/** The tag of a call; of another message of the runtime its class. */
export function systemTag(message: SystemMessage): LoggedTag {
  const { tag } = message as { tag?: unknown }; // a call has one
  return typeof tag === 'string' ? shortTag(tag) : message.constructor;
}

/** The beginning of a tag, for the log: a peer chooses its length. */
export function shortTag(tag: string): string {
  return tag.length <= MAX_LOGGED_LENGTH ? tag : tag.slice(0, MAX_LOGGED_LENGTH);
}
