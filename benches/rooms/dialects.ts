// The protocols of the servers on top of WebSocket: ours, that of socket.io, and none.
import { type Dialect, IN_ROOM, SOMETHING_ELSE } from './clients.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;

/** The subprotocol of `snowmesh/client`: envelopes, tickets, resume. */
export const OURS: Dialect = {
  path: '/rooms',
  protocol: 'snowmesh.rooms.1',
  greeting: ['["hello",null,[],false,0]', '["join",1,"room"]'],
  read: (buffer, start) => {
    // ["m","room","origin",123,"…"]
    if (buffer[start + 2] === 0x6d && buffer[start + 3] === QUOTE) {
      let at = start + 14;
      while (buffer[at] !== COMMA || buffer[at + 1] !== QUOTE) at++;
      return at + 2;
    }
    return buffer[start + 2] === 0x6a ? IN_ROOM : SOMETHING_ELSE;
  },
};

/** Payloads alone, in the room from the start; the first message says that it is. */
export const PLAIN: Dialect = {
  path: '/',
  greeting: [],
  read: (buffer, start) => (buffer[start] === 0x6a ? IN_ROOM : start),
};

/** engine.io 4 and socket.io 5 over WebSocket. */
export const SOCKET_IO: Dialect = {
  path: '/socket.io/?EIO=4&transport=websocket',
  greeting: [],
  read: (buffer, start, _end, say) => {
    const [engine, socket] = [buffer[start], buffer[start + 1]];
    if (engine === 0x34 && socket === 0x32) return start + '42["m","'.length;
    if (engine === 0x30) say('40');
    else if (engine === 0x32) say('3');
    else if (engine === 0x34 && socket === 0x30) return IN_ROOM;
    return SOMETHING_ELSE;
  },
};
