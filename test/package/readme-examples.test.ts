import { describe, expect, it } from 'vitest';
import { missingLine, readmeExamples } from './readme-examples.ts';

const markdown = `
Text.

<!-- example two: a.mjs -->
\`\`\`js
console.log('a');
\`\`\`

\`\`\`js
not marked
\`\`\`

<!-- module two: b.mjs -->

\`\`\`js
console.log('b', process.pid);
\`\`\`

<!-- prints two: b.mjs -->
\`\`\`text
b …
\`\`\`
`;

describe('the README reader', () => {
  it('takes marked fences as they are written, in order', () => {
    expect([...readmeExamples(markdown)]).toEqual([
      [
        'two',
        [
          { file: 'a.mjs', text: "console.log('a');\n", isModule: false, prints: [] },
          { file: 'b.mjs', text: "console.log('b', process.pid);\n", isModule: true, prints: ['b …'] },
        ],
      ],
    ]);
  });

  it('refuses an output that belongs to no file', () => {
    expect(() => readmeExamples('<!-- prints one: a.mjs -->\n```text\nx\n```\n')).toThrow('before its text');
  });

  it('finds promised lines in order', () => {
    expect(missingLine('a 1\nnoise\nb\n', ['a …', 'b'])).toBeUndefined();
    expect(missingLine('b\na 1\n', ['a …', 'b'])).toBe('b');
    expect(missingLine('pid <0.5>\n', ['pid <0.5>'])).toBeUndefined();
  });
});
