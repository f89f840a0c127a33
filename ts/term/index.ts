// Terms: what may travel in a message, and how it is written.
//
// Guarantees: every value comes back exactly (B11); a message is a value, also locally (B8); copying and encoding accept the same
// values and refuse the same, at the sender, naming the path (B9); nothing decoded alters a prototype (B12).
//
// Must not know: actors, connections, sockets. PIDs and references are numbers here; what they lead to is a hidden pointer.
export { ByteCopies } from './byte-copies.ts';
export { readU32 } from './byte-writer.ts';
export { copyAgain, copyTerm, freezeDeep } from './copy.ts';
export { TermDecoder } from './decode.ts';
export { FrameWriter, type FrameWriterOptions } from './frame-writer.ts';
export { FRAGMENT_BYTES, MAX_SHAPES } from './limits.ts';
export { Pid, parsePid, SERIAL_LIMIT } from './pid.ts';
export { Ref } from './ref.ts';
export { RefCipher } from './ref-cipher.ts';
export { decodeTerm, encodeTerm } from './standalone.ts';
export { struct, Tagged } from './tagged.ts';
export { TermTemplate } from './term-template.ts';
export { readAscii } from './text.ts';
export { SENT_IN_GETTER } from './unsendable.ts';
