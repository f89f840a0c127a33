/** Characters of a reason in the sentence of an error; the whole is in the error's `cause`. */
const MOST_CHARACTERS = 300;

/** An exit reason in a few words: a word as it is, a crash as `TypeError: …`. Reasons of peers may have any form. */
export function briefReason(reason: unknown): string {
  return shortened(words(reason));
}

function words(reason: unknown): string {
  if (typeof reason === 'string') return reason;
  if (typeof reason !== 'object' || reason === null) return String(reason);
  const { error } = reason as { error?: unknown };
  if (typeof error === 'object' && error !== null) {
    const { name, message } = error as { name?: unknown; message?: unknown };
    return `${textOf(name, 'Error')}: ${textOf(message, '')}`;
  }
  const { shutdown, nocatch } = reason as { shutdown?: unknown; nocatch?: unknown };
  if (shutdown !== undefined) return `shutdown (${json(shutdown)})`;
  if (nocatch !== undefined) return `thrown: ${json(nocatch)}`;
  return json(reason);
}

function textOf(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}

function json(value: unknown): string {
  try {
    return (
      JSON.stringify(value, (key, inner) => (key === 'stack' ? undefined : plain(inner))) ?? String(value)
    );
  } catch {
    return 'see the cause';
  }
}

function plain(value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}

function shortened(text: string): string {
  return text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS - 1).toWellFormed()}…`;
}
