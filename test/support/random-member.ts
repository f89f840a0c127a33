// A member that sends frames with a legal layout and hostile contents: every tag and channel, messages that fit and messages that nearly
// fit, its own PIDs, those of the node and of third nodes, and references that it was told.
import { PlainPeer, type Tag } from './plain-peer.ts';
import { type PlainPid, type PlainRef, pidTerm, refTerm, structTerm, Term, viewTerm } from './plain-terms.ts';

const KEYS = ['a', 'constructor', 'then', 'toJSON', 'length', 'key', '0'];
const METAS = [null, '{}', '"x"', '[[]]', '{"__proto__":1}', 'no JSON'];
const QUESTIONS = [
  'overview',
  'processes',
  'process',
  'top',
  'totals',
  'tree',
  'crashes',
  'sessions',
  'names',
];
const STRANGE = [
  '__proto__',
  'constructor',
  'toString',
  'é'.repeat(127),
  'a'.repeat(255),
  '4294967295',
  '\0u',
  ' ',
];

/** What it knows of the node. */
export interface Surroundings {
  readonly random: () => number;
  readonly port: number;
  readonly cookie: string;
  readonly own: string;
  readonly node: string;
  /** Names of actors, groups, rooms and specs there. */
  readonly names: readonly string[];
  /** Local ids of actors there. */
  locals(): readonly number[];
  readonly third: { readonly name: string; readonly incarnation: bigint };
}

type Make = () => unknown;

export class RandomMember {
  private readonly around: Surroundings;
  private readonly names: readonly string[];
  private readonly refs: PlainRef[] = [];
  private readonly numbers: number[] = [0, 1, 2];
  private peer: PlainPeer;
  private calls = 2n ** 60n;

  private constructor(around: Surroundings, peer: PlainPeer) {
    this.around = around;
    this.names = [...around.names, ...around.names, ...STRANGE];
    this.peer = peer;
  }

  static async join(around: Surroundings): Promise<RandomMember> {
    return new RandomMember(around, await RandomMember.dial(around));
  }

  private static dial({ port, cookie, own, node }: Surroundings): Promise<PlainPeer> {
    return PlainPeer.dial(port, cookie, own, node);
  }

  /** Sends a frame, now and then twice. */
  send(): void {
    const tag = this.pick([...TAGS, ...Array.from({ length: 7 }, () => 'SYSTEM' as const)]);
    const fields = this.frame(tag);
    for (let times = this.random() < 0.1 ? 2 : 1; times > 0; times--) this.peer.send(tag, ...fields);
  }

  /** Waits until the node has handled what was sent, and remembers what it says. Connects again if the session is over, and now and then. */
  async settle(): Promise<void> {
    const id = ++this.calls;
    const ours = { owner: this.peer.mine(1), id };
    this.peer.send('REG_CALL', ours.owner, ours, 0xffff_ffff, 'nobody', ['get', [], []]);
    const isOver = await this.answered(id).then(
      () => false,
      () => true,
    );
    if (!isOver && this.random() > 0.02) return;
    await this.peer.close();
    this.peer = await RandomMember.dial(this.around);
  }

  leave(): Promise<void> {
    return this.peer.close();
  }

  private async answered(id: bigint): Promise<void> {
    for (;;) {
      const fields = await this.peer.next('REPLY');
      const isAnswer = BigInt((fields[0] as PlainRef).id) === id;
      for (const tag of TAGS)
        while ((isAnswer || tag !== 'REPLY') && this.peer.waiting(tag) > 0)
          this.hear(await this.peer.next(tag));
      if (isAnswer) return;
    }
  }

  private hear(value: unknown): void {
    if (value instanceof Term) return this.hear(value.value);
    if (typeof value === 'number' && Number.isSafeInteger(value)) this.numbers[this.int(100)] = value;
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
    if ('owner' in value) this.refs[this.int(100)] = value as PlainRef;
    else for (const each of Object.values(value)) this.hear(each);
  }

  private readonly random = (): number => this.around.random();
  private int = (below: number): number => Math.floor(this.random() * below);
  private pick = <T>(from: readonly T[]): T => from[this.int(from.length)] as T;

  private mine = (): PlainPid =>
    this.peer.mine(this.pick([0, 1, 2, 3, 2 ** 34 + 1, 2 ** 40 - 1, this.int(100)]));
  private theirs = (): PlainPid =>
    this.peer.ours({
      slot: 0,
      creation: 0,
      local: this.pick([...this.around.locals(), this.int(200), 2 ** 34]),
    });

  private pid = (): PlainPid => {
    const { third, node, own } = this.around;
    const kind = this.random();
    if (kind < 0.4) return this.mine();
    if (kind < 0.8) return this.theirs();
    const [ghost, old, former] = [{ name: 'ghost@127.0.0.1:9' }, { name: node }, { name: own }].map(
      (each) => ({
        ...each,
        incarnation: 77n,
      }),
    );
    const other = this.pick([third, ghost, old, former]) as Surroundings['third'];
    return { ...this.peer.numberOf(other), local: this.int(50) };
  };

  private ref = (): PlainRef => {
    const known = this.pick(this.refs);
    if (known !== undefined && this.random() < 0.6) {
      try {
        return this.peer.refOf(known);
      } catch {} // it was told in a session before
    }
    return { owner: this.random() < 0.7 ? this.mine() : this.pid(), id: this.pick([0n, 1n, 2n ** 64n - 1n]) };
  };

  /** Any term. */
  private any = (depth = 0): unknown => {
    const next = (): unknown => this.any(depth + 1);
    const plain: Make[] = [
      () => this.pick([0, 1, -1, -0, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 0.5, 10n, 2n ** 70n]),
      () => this.number(),
      () => this.pick(this.names),
      () => this.pick([null, undefined, true, false]),
      () => pidTerm(this.pid()),
      () => refTerm(this.ref()),
      () => Buffer.alloc(this.pick([0, 1, 32])),
      () => new Date(this.pick([0, Number.NaN, 1e15])),
      () => viewTerm(this.int(12), Buffer.alloc(8 * this.int(3))),
    ];
    const nested: Make[] = [
      () => this.many(next),
      () => new Map([[next(), next()] as const, [Number.NaN, 1], [-0, 2]]),
      () => new Set([next(), Number.NaN, 0]),
      () => ({ [this.pick(KEYS)]: next() }),
      () => JSON.parse('{"__proto__":1}'),
      () =>
        structTerm(this.pick(['Error', 'AggregateError', 'SnowmeshError', '__proto__']), this.fields(next)),
    ];
    return this.pick(depth > 3 ? plain : [...plain, ...nested])();
  };

  private fields(next: Make): Record<string, unknown> {
    return Object.fromEntries(
      ['name', 'message', 'stack', 'errors', 'cause', 'code'].map((key) => [key, next()]),
    );
  }

  private many = (make: Make): unknown[] => Array.from({ length: this.int(5) }, make);
  /** What fits, and now and then what does not. */
  private fit = (make: Make): unknown => (this.random() < 0.9 ? make() : this.any());
  private list = (make: Make): unknown => this.fit(() => this.many(make));
  private name = (): unknown => this.fit(() => this.pick(this.names));
  private number = (): number => this.pick(this.numbers) ?? 0;
  private count = (): unknown => this.fit(this.number);
  private actor = (): unknown => this.fit(() => pidTerm(this.random() < 0.7 ? this.mine() : this.pid()));
  private flag = (): unknown => this.fit(() => this.random() < 0.5);
  private origin = (): unknown => this.fit(() => this.pick(['abc', '0', 'zzz', 'constructor']));
  private told = (): unknown =>
    this.fit(() => [
      this.origin(),
      this.count(),
      this.count(),
      this.int(5),
      this.payload(),
      this.except(),
      this.count(),
    ]);
  private payload = (): Buffer => Buffer.from(this.pick(['x', '1', '[["abc",1]]', '{']));
  private except = (): unknown => this.list(() => this.pick(['#a', '@u', '#a 1']));
  private replaced = (): unknown => this.list(() => [this.actor(), this.count()]);
  private entries = (): unknown => this.list(() => this.fit(() => [this.name(), this.list(this.actor)]));

  private readonly channels: Readonly<Record<string, readonly Make[]>> = {
    global: [
      () => ['hello', this.fit(() => 1)],
      () => ['sync', this.list(() => [this.name(), this.actor(), this.count(), this.replaced()])],
      () => ['claim', this.count(), this.name(), this.count(), this.flag()],
      () => [
        'vote',
        this.count(),
        this.pick(['yes', 'taken', 'full', 'late']),
        this.count(),
        this.replaced(),
      ],
      () => [
        'commit',
        this.count(),
        this.name(),
        this.actor(),
        this.count(),
        this.pick([null, this.replaced()]),
      ],
      () => ['drop', this.count(), this.name(), this.count()],
      () => ['lost', this.name(), this.actor(), this.count(), this.fit(() => null)],
      () => [
        'ask',
        this.count(),
        this.pick(['register', 'reregister', 'unregister']),
        this.name(),
        this.actor(),
      ],
      () => ['answer', this.count(), this.pick(['yes', 'taken', 'gone']), this.replaced()],
      () => [this.pick(['ping', 'pong', 'inquire', 'yield', 'abort', 'settled', 'ack']), this.count()],
      () => ['bye'],
    ],
    groups: [
      () => ['hello', 1],
      () => ['sync', this.entries(), this.flag()],
      () => [this.pick(['join', 'leave']), this.entries()],
      () => ['cast', this.name(), this.any()],
      () => ['bye'],
    ],
    rooms: [
      () => [
        'hello',
        1,
        this.origin(),
        this.list(() => [this.pick(['k1', 'k2']), Buffer.alloc(32)]),
        this.flag(),
      ],
      () => ['interest', this.list(() => [this.name(), this.fit(() => this.pick([-1, 0, 5]))])],
      () => ['based', this.list(() => [this.name(), this.count(), this.count()])],
      () => ['ask', this.count(), this.name(), this.list(() => [this.origin(), this.count()])],
      () => [
        'told',
        this.count(),
        this.name(),
        this.list(this.told),
        this.list(() => [this.origin(), this.count()]),
        this.list(() => [this.origin(), this.flag()]),
        this.list(this.origin),
        this.list(this.origin),
      ],
      () => ['newest', this.origin(), this.list(() => [this.name(), this.count()])],
      () => ['lost', this.origin()],
      () => ['claim', this.count(), this.pick(['s1', 's2']), this.count()],
      () => ['last', ...Array.from({ length: 5 }, this.count)],
      () => [
        'presence',
        this.list(() => [
          this.name(),
          this.name(),
          this.pick(['c1', 'c2']),
          this.fit(() => this.pick(METAS)),
        ]),
      ],
      () => ['copies', this.name(), this.list(this.told)],
      () => ['bye', this.list(this.origin), this.list(() => [this.origin(), this.flag()])],
    ],
    waits: [
      () => [
        this.pick(['call', 'start']),
        refTerm(this.ref()),
        refTerm(this.ref()),
        this.pick([1, 5, 1000]),
        this.list(() => (this.random() < 0.5 ? pidTerm(this.pid()) : refTerm(this.ref()))),
        this.pick([null, refTerm(this.ref())]),
      ],
    ],
    introspect: [
      () => [
        'ask',
        this.count(),
        this.fit(() => this.pick(QUESTIONS)),
        this.fit(() => ({ limit: this.any(), pid: this.any(), sort: this.any(), name: this.any() })),
      ],
      () => ['answer', this.count(), this.any()],
      () => ['refuse', this.count(), this.any()],
    ],
    trace: [() => [`00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, this.fit(() => '')]],
    'groups:x': [this.any],
    ['__proto__']: [this.any],
  };

  private system(): readonly unknown[] {
    const channel = this.pick(Object.keys(this.channels));
    return [channel, this.fit(this.pick(this.channels[channel] as readonly Make[]))];
  }

  private request = (): unknown =>
    this.fit(() => [
      this.pick(['get', ...this.names]),
      this.list(this.any),
      this.list(() => pidTerm(this.pid())),
    ]);

  private caller = (): readonly unknown[] => [this.mine(), this.ref(), this.pick([0, 1, 100, 0xffff_ffff])];

  private unlinkId = (): bigint => this.pick([0n, 1n, BigInt(this.int(100)), 2n ** 64n - 1n]);

  private frame(tag: Tag): readonly unknown[] {
    const frames: Readonly<Partial<Record<Tag, () => readonly unknown[]>>> = {
      SEND: () => [this.pid(), this.random() < 0.5 ? pidTerm(this.mine()) : this.any()],
      REG_SEND: () => [this.pick(this.names), this.any()],
      ALIAS_SEND: () => [this.ref(), this.any()],
      PEER_LIST: () => [[this.pick(this.names), this.around.own]],
      LINK: () => [this.mine(), this.pid()],
      UNLINK: () => [this.mine(), this.pid(), this.unlinkId()],
      UNLINK_ACK: () => [this.mine(), this.pid(), this.unlinkId()],
      EXIT: () => [this.mine(), this.pid(), this.any()],
      EXIT2: () => [this.mine(), this.pid(), this.any()],
      MONITOR: () => [this.mine(), this.ref(), this.random() < 0.5 ? this.pid() : this.pick(this.names)],
      DEMONITOR: () => [this.mine(), this.ref()],
      MONITOR_EXIT: () => [this.pid(), this.ref(), this.any()],
      SPAWN: () => [
        this.mine(),
        this.ref(),
        this.int(16),
        this.ref(),
        this.pick(this.names),
        this.fit(() => [this.many(this.any), null, 50]),
      ],
      SPAWN_REPLY: () => [this.pid(), this.ref(), this.int(8), this.pid(), this.any()],
      SPAWN_ACK: () => [this.mine(), this.pid()],
      CALL: () => [...this.caller(), this.pid(), this.request()],
      REG_CALL: () => [...this.caller(), this.pick(this.names), this.request()],
      REPLY: () => [this.ref(), this.int(9), this.any()],
      ROOM_BROADCAST: () => [
        this.pick(this.names),
        this.payload(),
        this.fit(() => [
          this.count(),
          0,
          this.int(4),
          this.except(),
          this.pick([null, ['s1', 1]]),
          this.flag(),
        ]),
      ],
      SYSTEM: () => this.system(),
      PING: () => [1n, this.pick([0, 6000])],
      PONG: () => [1n, 0],
    };
    return frames[tag]?.() ?? [];
  }
}

/** All but GOODBYE, which ends the session. */
const TAGS: readonly Tag[] = [
  'SEND',
  'REG_SEND',
  'ALIAS_SEND',
  'PEER_LIST',
  'LINK',
  'UNLINK',
  'UNLINK_ACK',
  'EXIT',
  'EXIT2',
  'MONITOR',
  'DEMONITOR',
  'MONITOR_EXIT',
  'SPAWN',
  'SPAWN_REPLY',
  'SPAWN_ACK',
  'CALL',
  'REG_CALL',
  'REPLY',
  'ROOM_BROADCAST',
  'SYSTEM',
  'PING',
  'PONG',
];
