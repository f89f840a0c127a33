// The tag of a message: what a receive can match by, and what a crash report prints.
import { SystemMessage } from './system-message.ts';

/** Most characters of a tag in a crash report. */
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
  return typeof message === 'object' ? shortened(tagOf(message)) : undefined;
}

/** {@link loggedTag} of a message of the runtime. */
export function systemTag(message: SystemMessage): LoggedTag {
  const { tag } = message as { tag?: unknown }; // a call has one
  return typeof tag === 'string' ? shortened(tag) : message.constructor;
}

function shortened(tag: string | undefined): string | undefined {
  return tag === undefined || tag.length <= MAX_LOGGED_LENGTH ? tag : tag.slice(0, MAX_LOGGED_LENGTH);
}
