// A name server of a handful of records, over UDP on this machine: for a real resolver to ask.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';

/** What a name has: addresses of either family, and services. */
export interface Records {
  readonly addresses?: readonly string[];
  readonly services?: readonly { readonly name: string; readonly port: number }[];
}

const TYPE = { A: 1, AAAA: 28, SRV: 33 };
const NAME_ERROR = 3;
const SERVER_FAILURE = 2;

export class NameServer {
  /** By lower-case name. */
  readonly records = new Map<string, Records>();
  /** Whether every question fails with SERVFAIL. */
  isBroken = false;
  /** Questions so far, as `type name`. */
  readonly questions: string[] = [];
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (query, from) => socket.send(this.#answer(query), from.port, from.address));
  }

  static async listen(): Promise<NameServer> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new NameServer(socket);
  }

  /** For `Resolver.setServers`. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  async close(): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }

  #answer(query: Buffer): Buffer {
    let at = 12;
    const labels: string[] = [];
    for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const type = query.readUInt16BE(at + 1);
    const name = labels.join('.').toLowerCase();
    this.questions.push(`${Object.entries(TYPE).find(([, code]) => code === type)?.[0] ?? type} ${name}`);
    const records = this.records.get(name);
    const data = this.isBroken || records === undefined ? [] : dataOf(type, records);
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    const code = this.isBroken ? SERVER_FAILURE : records === undefined ? NAME_ERROR : 0;
    header.writeUInt16BE(0x8180 | code, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(data.length, 6);
    return Buffer.concat([
      header,
      query.subarray(12, at + 5),
      ...data.map((bytes) => resourceOf(type, bytes)),
    ]);
  }
}

function dataOf(type: number, { addresses = [], services = [] }: Records): Buffer[] {
  if (type === TYPE.SRV) return services.map(({ name, port }) => serviceData(name, port));
  if (type === TYPE.A)
    return addresses.filter((text) => !isIPv6(text)).map((text) => Buffer.from(text.split('.').map(Number)));
  if (type === TYPE.AAAA) return addresses.filter(isIPv6).map(addressData);
  return [];
}

/** The name asked for, class IN, not to be kept. */
function resourceOf(type: number, data: Buffer): Buffer {
  const head = Buffer.from([0xc0, 0x0c, 0, type, 0, 1, 0, 0, 0, 0, 0, 0]);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function serviceData(target: string, port: number): Buffer {
  const labels = target.split('.').flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]);
  const numbers = Buffer.alloc(6);
  numbers.writeUInt16BE(port, 4);
  return Buffer.concat([numbers, ...labels, Buffer.from([0])]);
}

/** An IPv6 address with at most one `::`. */
function addressData(text: string): Buffer {
  const [head = '', tail = ''] = text.split('::');
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const [first, last] = [groups(head), groups(tail)];
  const zeros = new Array<number>(8 - first.length - last.length).fill(0);
  const bytes = Buffer.alloc(16);
  for (const [index, group] of [...first, ...zeros, ...last].entries()) bytes.writeUInt16BE(group, index * 2);
  return bytes;
}
