// Terms: the values that a message may hold, and their encoding.
//
// Guarantees: every value is decoded exactly as it was encoded (B11); a message is a value, also locally (B8); copying and encoding
// accept the same values, and refuse all others at the sender with the path (B9); decoding never alters a prototype (B12).
//
// Must not know: actors, connections, sockets. PIDs and references are numbers here; their target is an opaque pointer.
export { ByteCopies } from './byte-copies.ts';
export { readU32 } from './byte-writer.ts';
export { copyAgain, copyTerm, freezeDeep } from './copy.ts';
export { TermDecoder } from './decode.ts';
export { FrameWriter, type FrameWriterOptions } from './frame-writer.ts';
export { FRAGMENT_BYTES, MAX_SHAPES } from './limits.ts';
export { canGenerate, quote, WARM_UP } from './literal.ts';
export { Pid, parsePid, SERIAL_LIMIT } from './pid.ts';
export { Ref } from './ref.ts';
export { RefCipher } from './ref-cipher.ts';
export { decodeTerm, encodeTerm } from './standalone.ts';
export { struct, Tagged } from './tagged.ts';
export { TermTemplate } from './term-template.ts';
export { readAscii } from './text.ts';
export { SENT_IN_GETTER } from './unsendable.ts';
export { memoryOf } from './value-memory.ts';
