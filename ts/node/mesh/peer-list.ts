// PEER_LIST frames: a node of a mesh tells each new peer its visible peers (L1).

import { FrameTag } from '../../wire/index.ts';
import type { EntryReader } from '../session/entry-reader.ts';
import type { Outgoing } from '../session/outgoing.ts';

/** Names in one frame. The rest of a longer list is ignored (T14). */
const MAX_LISTED = 512;

/** Sends the names to a peer, in as many frames as needed. */
export function writePeerLists(outgoing: Outgoing, names: readonly string[]): void {
  for (let at = 0; at < names.length; at += MAX_LISTED) {
    const listed = names.slice(at, at + MAX_LISTED);
    outgoing.signal(0, FrameTag.PEER_LIST, (frame) => {
      frame.u16(listed.length);
      for (const name of listed) frame.name(name);
    });
  }
}

/** The names in the body of a frame. */
export function readPeerList(reader: EntryReader): string[] {
  const names: string[] = [];
  for (let left = Math.min(reader.u16(), MAX_LISTED); left > 0; left--) names.push(reader.name());
  return names;
}
