import type { RoomInfo } from '../introspect/index.ts';
import { ASKING_OPTIONS, type Asked, asking, jsonOf } from './asking.ts';
import { type Command, EXIT } from './command.ts';
import { table } from './text.ts';

/** Most rooms in one answer of a node. */
const PAGE = 1000;

/** `snowmesh rooms`: the rooms of WebSocket connections that a node knows. */
export const roomsCommand: Command = {
  name: 'rooms',
  summary: 'list the rooms that a node knows, those with the most members first',
  notes: '  a node knows the rooms in which it, or a node that is connected to it, has members',
  examples: ['snowmesh rooms --node shop@10.0.0.1:9000 --cookie-file ./cookie'],
  options: {
    ...ASKING_OPTIONS,
    limit: { value: 'n', summary: 'the most rooms to show, from 1 to 1000. Default: 50' },
  },
  async run(given, terminal) {
    const limit = given.whole('limit', 50, 1, 1000);
    return asking(given, terminal, async (asked) => {
      const found = await largest(asked, limit);
      terminal.out(given.flag('json') ? jsonOf(asked, found) : roomsText(asked, found));
      return EXIT.DONE;
    });
  },
};

interface Found {
  readonly rooms: readonly RoomInfo[];
  readonly total: number;
}

/** Reads all rooms, a page at a time, and keeps those with the most members. */
async function largest({ view }: Asked, limit: number): Promise<Found> {
  let rooms: RoomInfo[] = [];
  for (let after: number | undefined; ; ) {
    const page = await view.rooms({ limit: PAGE, ...(after === undefined ? {} : { after }) });
    rooms = [...rooms, ...page.items].sort((a, b) => b.members - a.members).slice(0, limit);
    after = page.next;
    if (after === undefined) return { rooms, total: page.total };
  }
}

function roomsText(asked: Asked, { rooms, total }: Found): string {
  if (total === 0) return `${asked.name} has no rooms\n`;
  const rows = rooms.map(({ room, members, localMembers, kept }) => [room, members, localMembers, kept]);
  const more = total - rooms.length;
  return table(['ROOM', 'MEMBERS', 'ON THIS NODE', 'KEPT'], rows) + (more > 0 ? `… ${more} more\n` : '');
}
