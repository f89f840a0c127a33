// Takes the runnable examples out of a document. A comment right before a fence marks it:
//
//   <!-- example NAME: FILE -->   the fence is FILE of the example NAME
//   <!-- module NAME: FILE -->    the same, and others import it: it is not run by itself
//   <!-- prints NAME: FILE -->    these lines appear in FILE's output, in this order; … matches anything

export interface ExampleFile {
  readonly file: string;
  readonly text: string;
  readonly isModule: boolean;
  /** Lines its output must contain, in order. */
  readonly prints: readonly string[];
}

/** The examples by name, their files in order of appearance. */
export function readmeExamples(markdown: string): Map<string, ExampleFile[]> {
  const examples = new Map<string, ExampleFile[]>();
  const marked = /^<!-- (example|module|prints) ([\w-]+): ([\w.-]+) -->\n+```[^\n]*\n([\s\S]*?)^```$/gm;
  for (const [, kind, name = '', file = '', text = ''] of markdown.matchAll(marked)) {
    const files = examples.get(name) ?? [];
    examples.set(name, files);
    if (kind !== 'prints') {
      files.push({ file, text, isModule: kind === 'module', prints: [] });
      continue;
    }
    const index = files.findIndex((other) => other.file === file);
    const found = files[index];
    if (found === undefined) throw new Error(`the output of ${name}: ${file} is told before its text`);
    files[index] = { ...found, prints: text.split('\n').filter((line) => line.trim() !== '') };
  }
  return examples;
}

/** The first of `wanted` that does not follow in `output`, or undefined when all do. */
export function missingLine(output: string, wanted: readonly string[]): string | undefined {
  const lines = output.split('\n');
  let at = 0;
  for (const line of wanted) {
    const parts = line
      .trim()
      .split('…')
      .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
    const pattern = new RegExp(`^\\s*${parts.join('.*')}\\s*$`);
    const found = lines.findIndex((candidate, index) => index >= at && pattern.test(candidate));
    if (found < 0) return line;
    at = found + 1;
  }
  return undefined;
}
