// Searches for messages by one field. The name of the field is a constant of generated code: with the name in a variable a message costs
// three times as much once several names were searched for.
import { canGenerate, quote, WARM_UP } from '../term/index.ts';

/** The position of the first object in `slots[from]` to `slots[to - 1]` whose field is identical to `wanted`, or -1. */
type Search = (slots: readonly unknown[], from: number, to: number, wanted: unknown) => number;

/** Fields whose search is kept; the table starts again empty when it is full. */
const MAX_FIELDS = 256;

const byField = new Map<string, FieldSearch>();

/** The search for a field: a plain loop at first, generated code once it is used often. */
export class FieldSearch {
  private readonly field: string;
  private generated: Search | undefined = undefined;
  private uses = 0;

  private constructor(field: string) {
    this.field = field;
  }

  static of(field: string): FieldSearch {
    return byField.get(field) ?? FieldSearch.add(field);
  }

  private static add(field: string): FieldSearch {
    const search = new FieldSearch(field);
    if (byField.size >= MAX_FIELDS) byField.clear();
    byField.set(field, search);
    return search;
  }

  first(slots: readonly unknown[], from: number, to: number, wanted: unknown): number {
    if (this.generated !== undefined) return this.generated(slots, from, to, wanted);
    if (++this.uses > WARM_UP && canGenerate()) this.generated = generate(this.field);
    const { field } = this;
    for (let at = from; at < to; at++) {
      const message = slots[at];
      if (typeof message !== 'object' || message === null) continue;
      if ((message as Record<string, unknown>)[field] === wanted) return at;
    }
    return -1;
  }
}

function generate(field: string): Search {
  const code = `'use strict';
    for(;a<e;a++){const m=s[a];if(typeof m==='object'&&m!==null&&m[${quote(field)}]===w)return a}
    return -1;`;
  return new Function('s', 'a', 'e', 'w', code) as Search;
}
