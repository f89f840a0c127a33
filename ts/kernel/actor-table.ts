import { Pid, SERIAL_LIMIT } from '../term/index.ts';

/** A power of two: the place in a page is then the low bits of a local id, while `%` of numbers above 2^31 calls into C. */
const PAGE = 256;
const IN_PAGE = PAGE - 1;

interface Page<C> {
  readonly number: number;
  readonly cells: (C | undefined)[];
  live: number;
}

/**
 * The serial of the next actor. All runtimes of the OS process share it, so a PID of a stopped node object never denotes an actor
 * of the next one (A9, K13). Serial 0 stands for code outside of actors.
 */
let nextSerial = 1;

/** Living actors by local id, in pages of consecutive serials. All empty pages but one are dropped; the page used last is cached. */
export class ActorTable<C extends { readonly pid: Pid }> {
  size = 0;
  private readonly base: number;
  private readonly pages = new Map<number, Page<C>>();
  private lastNumber = -1;
  private lastPage: Page<C> | undefined = undefined;
  /** The page that became empty last. It stays: while one short-lived actor follows another, each would make a page and drop it. */
  private emptied: Page<C> | undefined = undefined;

  constructor(lane: number) {
    this.base = lane * SERIAL_LIMIT;
  }

  /** A local id that no living actor has. O(1). */
  nextId(): number {
    for (;;) {
      const id = this.base + nextSerial;
      nextSerial = nextSerial + 1 < SERIAL_LIMIT ? nextSerial + 1 : 1;
      if (this.get(id) === undefined) return id;
    }
  }

  get(local: number): C | undefined {
    return this.page(Math.floor((local - this.base) / PAGE))?.cells[local & IN_PAGE];
  }

  add(local: number, cell: C): void {
    const number = Math.floor((local - this.base) / PAGE);
    let page = this.page(number);
    if (page === undefined) {
      page = { number, cells: new Array(PAGE).fill(undefined), live: 0 };
      this.pages.set(number, page);
      this.lastNumber = number;
      this.lastPage = page;
    }
    page.cells[local & IN_PAGE] = cell;
    page.live++;
    this.size++;
  }

  remove(local: number): void {
    const number = Math.floor((local - this.base) / PAGE);
    const page = this.page(number);
    if (page?.cells[local & IN_PAGE] === undefined) return;
    page.cells[local & IN_PAGE] = undefined;
    this.size--;
    if (--page.live > 0 || page === this.emptied) return;
    if (this.emptied?.live === 0) this.pages.delete(this.emptied.number); // never the page used last, which is `page`
    this.emptied = page;
  }

  /** The PID with that local id: the living actor's own, otherwise a new one that denotes a dead actor. */
  pidOf(local: number): Pid {
    return this.get(local)?.pid ?? new Pid(0, local);
  }

  *[Symbol.iterator](): Iterator<C> {
    for (const page of [...this.pages.values()]) {
      for (const cell of page.cells) if (cell !== undefined) yield cell;
    }
  }

  /**
   * The actors whose local id is greater than `local`, lowest page of ids first. The table may change meanwhile: each page is read
   * when the iteration reaches it. O(pages) to begin.
   */
  *after(local: number): IterableIterator<C> {
    const first = Math.floor((local - this.base) / PAGE);
    const numbers = [...this.pages.keys()]
      .filter((number) => number >= first)
      .sort((one, other) => one - other);
    for (const number of numbers) {
      for (const cell of this.pages.get(number)?.cells ?? [])
        if (cell !== undefined && cell.pid.local > local) yield cell;
    }
  }

  private page(number: number): Page<C> | undefined {
    if (number === this.lastNumber) return this.lastPage;
    const page = this.pages.get(number);
    if (page !== undefined) {
      this.lastNumber = number;
      this.lastPage = page;
    }
    return page;
  }
}

/** For tests: the serial that the next actor gets. */
export function setNextSerial(serial: number): void {
  nextSerial = serial;
}
