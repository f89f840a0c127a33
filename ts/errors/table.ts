// The one table of error codes. docs/errors.md is checked against it.

/** What a code means and what to do. */
export interface ErrorEntry {
  readonly summary: string;
  readonly remedy: string;
}

export const ERRORS = {
  SNOW_ERR_BAD_TERM: { summary: 'Bytes are no valid term.', remedy: 'Decode only what encodeTerm wrote, whole.' },
  SNOW_ERR_TOO_DEEP: { summary: 'A message is nested deeper than 128.', remedy: 'Flatten the data; the message names the path.' },
  SNOW_ERR_TOO_LARGE: { summary: 'A message exceeds the size limit.', remedy: 'Split it, or raise maxMessage on all nodes.' },
  SNOW_ERR_UNSENDABLE: { summary: 'A value cannot travel in a message.', remedy: 'Send plain data; the message names the path.' },
} as const satisfies Record<string, ErrorEntry>;

/** Stable name of an error. */
export type ErrorCode = keyof typeof ERRORS;
