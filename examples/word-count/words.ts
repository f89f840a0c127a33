// What a word is, and how text that arrives in pieces is cut into words. The count over the cluster and the single
// count that checks it share this definition and nothing else.

/** A run of letters, marks and digits; apostrophes may stand inside: `don't`, `l’été`, `utf8`, `数据`. */
const WORD = /[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:['’][\p{L}\p{N}][\p{L}\p{M}\p{N}]*)*/gu;

/** Longer runs (a hex dump, an encoded image) are no words; they are left out. Unit: UTF-16 code units. */
export const LONGEST_WORD = 200;

/** Stands for a run that is already too long, so that it need not be remembered. */
const TOO_LONG = 'x'.repeat(LONGEST_WORD + 1);

/** Cuts a text into words, whatever the pieces it comes in. One splitter a text. */
export class WordSplitter {
  private rest = '';

  /** Calls `each` for every word that `piece` completes, in lower case and NFC. */
  push(piece: string, each: (word: string) => void): void {
    const text = this.rest + piece;
    this.rest = '';
    WORD.lastIndex = 0;
    for (let match = WORD.exec(text); match !== null; match = WORD.exec(text)) {
      const [word] = match;
      if (WORD.lastIndex < text.length - 1) {
        accept(word, each);
        continue;
      }
      // It may go on in the next piece, even behind an apostrophe that is already here.
      const tail = text.slice(WORD.lastIndex);
      this.rest = (word.length > LONGEST_WORD ? TOO_LONG : word) + tail;
      return;
    }
  }

  /** The end of the text: what was held back is complete. */
  end(each: (word: string) => void): void {
    const text = this.rest;
    this.rest = '';
    WORD.lastIndex = 0; // matchAll starts from there
    for (const [word] of text.matchAll(WORD)) accept(word, each);
  }
}

/** The counter, of `count` many, that a word belongs to (FNV-1a over its UTF-16 code units). */
export function partitionOf(word: string, count: number): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < word.length; at++) hash = Math.imul(hash ^ word.charCodeAt(at), 0x01000193);
  return (hash >>> 0) % count;
}

function accept(word: string, each: (word: string) => void): void {
  if (word.length <= LONGEST_WORD) each(word.toLowerCase().normalize('NFC'));
}
