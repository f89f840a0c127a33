// Which files are read, and how. Everything that cannot be read is named with its reason; nothing stops the rest.
import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TextDecoder } from 'node:util';

/** A file to count. `bytes` is its size when it was found: both counts read exactly that many. */
export interface Document {
  readonly path: string;
  readonly bytes: number;
}

export interface Skipped {
  readonly path: string;
  readonly why: string;
}

export interface Found {
  readonly documents: readonly Document[];
  readonly skipped: readonly Skipped[];
}

/** So many bytes at the start of a file tell whether it is text. */
const SAMPLE_BYTES = 65_536;
const IGNORED_FOLDERS = new Set(['node_modules', 'target', 'dist', 'build', 'coverage']);

/**
 * Looks at every path a user named: files are taken as they are, folders are walked (without hidden entries, symbolic
 * links and `node_modules`, `target`, `dist`, `build`, `coverage`). A file is taken once, however often it is named.
 */
export async function findDocuments(paths: readonly string[]): Promise<Found> {
  const documents: Document[] = [];
  const skipped: Skipped[] = [];
  const seen = new Set<string>();
  for (const path of paths) {
    for await (const file of filesAt(path, skipped)) {
      try {
        const real = await realpath(file);
        if (seen.has(real)) continue;
        seen.add(real);
        const verdict = await examine(file);
        if (typeof verdict === 'number') documents.push({ path: file, bytes: verdict });
        else skipped.push({ path: file, why: verdict.why });
      } catch (error) {
        skipped.push({ path: file, why: reasonOf(error) });
      }
    }
  }
  return { documents, skipped };
}

/** The text of a document in pieces of `pieceBytes`; bytes that are no UTF-8 become U+FFFD, which is no letter. */
export async function* textOf(
  document: Document,
  pieceBytes: number,
): AsyncGenerator<{ text: string; bytes: number }> {
  if (document.bytes === 0) return;
  const decoder = new TextDecoder('utf-8');
  const stream = createReadStream(document.path, { end: document.bytes - 1, highWaterMark: pieceBytes });
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    yield { text: decoder.decode(chunk, { stream: true }), bytes: chunk.length };
  }
  yield { text: decoder.decode(), bytes: 0 };
}

async function* filesAt(path: string, skipped: Skipped[]): AsyncGenerator<string> {
  try {
    const info = await stat(path);
    if (info.isFile()) yield path;
    else if (info.isDirectory()) yield* filesBelow(path, skipped);
    else skipped.push({ path, why: 'it is neither a file nor a folder' });
  } catch (error) {
    skipped.push({ path, why: reasonOf(error) });
  }
}

async function* filesBelow(folder: string, skipped: Skipped[]): AsyncGenerator<string> {
  let entries;
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    skipped.push({ path: folder, why: reasonOf(error) });
    return;
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (entry.isFile()) yield path;
    else if (entry.isDirectory() && !IGNORED_FOLDERS.has(entry.name)) yield* filesBelow(path, skipped);
  }
}

/** The size of a text file, or why it is not read. */
async function examine(path: string): Promise<number | { why: string }> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const sample = await sampleOf(file);
    if (sample.includes(0)) return { why: 'it is a binary file' };
    if (!isText(sample, size)) return { why: 'it is not UTF-8 text' };
    return size;
  } finally {
    await file.close();
  }
}

async function sampleOf(file: FileHandle): Promise<Buffer> {
  const buffer = Buffer.alloc(SAMPLE_BYTES);
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** The sample may end inside a character: up to three bytes of it are then no evidence. */
function isText(sample: Buffer, size: number): boolean {
  if (isUtf8(sample)) return true;
  if (sample.length >= size) return false;
  return [1, 2, 3].some((cut) => isUtf8(sample.subarray(0, sample.length - cut)));
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file or folder';
  if (code === 'EACCES' || code === 'EPERM') return 'it may not be read by you';
  return message;
}
