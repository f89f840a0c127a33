// What the types of the client of rooms accept. The type checker is the judge (`npm run check:types`); nothing here runs.
import { describe, it } from 'vitest';
import { WebSocket as SocketOfWs } from 'ws';
import { type ClientSocket, connectRooms } from '../../ts/client/index.ts';

/** A class that a user wrote, as for a platform of its own. */
declare class OwnSocket {
  constructor(url: string | URL, protocols?: string | string[]);
  binaryType: 'arraybuffer' | 'blob';
  readonly readyState: number;
  addEventListener(event: 'open' | 'message' | 'close' | 'error', listener: (event: Event) => void): void;
  send(data: string | ArrayBufferLike | Uint8Array): void;
  close(code?: number, reason?: string): void;
}

declare const Emitter: new () => Omit<ClientSocket, 'addEventListener'>;

describe('the option WebSocket', () => {
  it('takes the classes of ws and of users as they are declared', () => {
    const use = () => {
      connectRooms('ws://x', { WebSocket: SocketOfWs });
      connectRooms('ws://x', { WebSocket: OwnSocket });
      // @ts-expect-error: an emitter has no addEventListener
      connectRooms('ws://x', { WebSocket: Emitter });
    };
    void use;
  });
});
