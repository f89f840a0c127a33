// Nodes with rooms in one process, and clients that a test holds the sockets of.
import { type Connection, createRooms, type Rooms, type RoomsOptions } from '../../../ts/rooms/index.ts';
import { randomFrom } from '../../support/seed.ts';
import { FakeMesh, type FakeNode } from '../global/fake-mesh.ts';
import { FakeClient, FakeSocket } from './fake-socket.ts';

export class Stage {
  readonly mesh: FakeMesh;

  /** @param random in [0, 1): which peer is heard next. */
  constructor(random: () => number = randomFrom()) {
    this.mesh = new FakeMesh(3, random);
  }

  get nodes(): FakeNode[] {
    return this.mesh.nodes;
  }

  node(index: number): FakeNode {
    return this.nodes[index] as FakeNode;
  }

  /** Rooms on the first node alone. */
  alone(options: RoomsOptions = {}): Rooms {
    return createRooms(this.node(0), options);
  }

  /** Rooms on all nodes, connected. */
  async cluster(options: RoomsOptions = {}): Promise<[Rooms, Rooms, Rooms]> {
    const rooms = this.nodes.map((node) => createRooms(node, options));
    this.mesh.connectAll();
    await this.mesh.settle();
    return rooms as [Rooms, Rooms, Rooms];
  }

  /** A plain socket in some rooms. */
  async plain(
    rooms: Rooms,
    joined: readonly string[],
    key?: string,
  ): Promise<{ socket: FakeSocket; connection: Connection }> {
    const socket = new FakeSocket();
    const connection = rooms.accept(socket, key === undefined ? {} : { key });
    const joins = Promise.all(joined.map((room) => connection.join(room)));
    await this.mesh.settle();
    await joins;
    return { socket, connection };
  }

  /** A client of the protocol that has said hello, and joined what it may. */
  async client(
    rooms: Rooms,
    { key, joins = [] }: { readonly key?: string; readonly joins?: readonly string[] } = {},
  ): Promise<{ socket: FakeClient; connection: Connection }> {
    const socket = new FakeClient();
    const connection = rooms.accept(socket, key === undefined ? {} : { key });
    socket.hello();
    for (const [index, room] of joins.entries()) socket.tell(['join', index + 1, room]);
    await this.mesh.settle();
    return { socket, connection };
  }

  /** A client that comes back with what another one had. */
  async back(
    rooms: Rooms,
    before: FakeClient,
    names: readonly string[],
    { key, ...how }: { readonly key?: string; readonly fork?: boolean; readonly awayMs?: number } = {},
  ): Promise<{ socket: FakeClient; connection: Connection }> {
    const socket = new FakeClient(before);
    const connection = rooms.accept(socket, key === undefined ? {} : { key });
    socket.hello(
      before.session,
      names.map((name) => before.place(name)),
      how,
    );
    await this.mesh.settle();
    return { socket, connection };
  }
}
