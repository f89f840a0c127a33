// The completion scripts for shells, generated from the table of commands.
import { type Command, HELP } from './command.ts';

export function bashCompletion(commands: readonly Command[]): string {
  const cases = commands.map(({ name, options }) => `    ${name}) words="${flags(options).join(' ')}" ;;`);
  const values = choices(commands).map(([flag, words]) => `    --${flag}) words="${words.join(' ')}" ;;`);
  return `# snowmesh completion bash
_snowmesh() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${[...commands.map(({ name }) => name), 'help', '--version'].join(' ')}"
  else
    case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    help) words="${commands.map(({ name }) => name).join(' ')}" ;;
    completion) words="bash zsh" ;;
    esac
    case "$before" in
${values.join('\n')}
    --cookie-file) COMPREPLY=($(compgen -f -- "$word")); return ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  if [ -z "$COMPREPLY" ] && [ "\${COMP_WORDS[1]}" = start ]; then COMPREPLY=($(compgen -f -- "$word")); fi
}
complete -o filenames -F _snowmesh snowmesh
`;
}

export function zshCompletion(commands: readonly Command[]): string {
  const names = commands.map(({ name, summary }) => `    '${name}:${plain(summary)}'`);
  const cases = commands.map((command) => `    ${command.name}) _arguments ${zshArguments(command)} ;;`);
  return `#compdef snowmesh
_snowmesh() {
  local -a commands=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command="\${words[2]}"
  shift words
  (( CURRENT-- ))
  case "$command" in
${cases.join('\n')}
  esac
}
compdef _snowmesh snowmesh
`;
}

function flags(options: Command['options']): string[] {
  return [...Object.keys(options), 'help'].map((name) => `--${name}`);
}

function choices(commands: readonly Command[]): [string, readonly string[]][] {
  const found = new Map<string, readonly string[]>();
  for (const { options } of commands)
    for (const [name, { choices: words }] of Object.entries(options))
      if (words !== undefined) found.set(name, words);
  return [...found];
}

function zshArguments({ name, options }: Command): string {
  const all = Object.entries({ ...options, help: HELP }).map(
    ([option, { summary, value, choices: words }]) => {
      const what = option.endsWith('-file') ? '_files' : words === undefined ? ' ' : `(${words.join(' ')})`;
      return `'--${option}[${plain(summary)}]${value === undefined ? '' : `:${value}:${what}`}'`;
    },
  );
  if (name === 'completion') all.push("'1:shell:(bash zsh)'");
  if (name === 'start' || name === 'cookie') all.push("'1:file:_files'");
  return all.join(' ');
}

/** Text without characters that zsh interprets. */
function plain(text: string): string {
  return text.replace(/['[\]:\\]/g, ' ');
}
