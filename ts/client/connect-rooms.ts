import type { ClientOptions } from './client-options.ts';
import { RoomClient } from './room-client.ts';

/**
 * Connects to the rooms of a server, and reconnects by itself until `close`.
 *
 * @param urls The `wss://…` URL of the path that the server attached. With several URLs the next one is tried when one fails.
 * @throws SNOW_ERR_BAD_ARGUMENT when a URL is not one of a WebSocket; SNOW_ERR_BAD_OPTION for an unknown option or a wrong value, a damaged
 *   `state`, and when the platform has no WebSocket.
 * @example
 * const client = connectRooms('wss://example.com/rooms');
 * client.on('message', ({ room, data }) => show(room, data));
 * await client.join('lobby');
 * client.send({ text: 'hello' });
 */
export function connectRooms<In = unknown, Out = unknown>(
  urls: string | readonly string[],
  options: ClientOptions = {},
): RoomClient<In, Out> {
  return new RoomClient(urls, options);
}
