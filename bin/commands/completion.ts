/** `unbroken completion`: a static script for the shell, so that a completion does not wait for Node. */
import { Argument, type Command } from 'commander';

/** A place on the command line, such as `keys create`, and what can follow there. */
interface Place {
  readonly path: string;
  readonly words: readonly {
    readonly word: string;
    readonly description: string;
    readonly takesValue: boolean;
  }[];
}

const WRITERS = { bash: bashScript, zsh: zshScript, fish: fishScript };
type Shell = keyof typeof WRITERS;

export function defineCompletion(command: Command, buildWhole: () => Promise<Command>): void {
  command
    .addArgument(new Argument('<shell>').choices(Object.keys(WRITERS)))
    .addHelpText(
      'after',
      [
        '\nbash: unbroken completion bash >> ~/.bashrc',
        'zsh:  unbroken completion zsh > ~/.zfunc/_unbroken   (a folder of fpath)',
        'fish: unbroken completion fish > ~/.config/fish/completions/unbroken.fish',
      ].join('\n'),
    )
    .action(async (shell: Shell) => {
      process.stdout.write(WRITERS[shell](placesOf(await buildWhole(), '')));
    });
}

function placesOf(command: Command, path: string): Place[] {
  const words = [
    ...command.commands.map((child) => ({
      word: child.name(),
      description: child.description(),
      takesValue: false,
    })),
    ...command.options.map((option) => ({
      word: option.long ?? option.short ?? '',
      description: option.description,
      takesValue: option.required || option.optional,
    })),
  ];
  const children = command.commands.flatMap((child) => placesOf(child, `${path} ${child.name()}`.trim()));
  return [{ path, words }, ...children];
}

/** Patterns of `<place> <next word>` that lead to another place. */
function stepsOf(places: readonly Place[]): string[] {
  return places.flatMap(({ path }) => (path === '' ? [] : [path.includes(' ') ? path : ` ${path}`]));
}

function bashScript(places: readonly Place[]): string {
  return `_unbroken() {
  local at="" words="" index
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "$at \${COMP_WORDS[index]}" in
      ${stepsOf(places).map(quoted).join(' | ')}) at="\${at:+$at }\${COMP_WORDS[index]}" ;;
    esac
  done
  case "$at" in
${places.map(({ path, words }) => `    ${quoted(path)}) words=${quoted(words.map(({ word }) => word).join(' '))} ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _unbroken unbroken
`;
}

function zshScript(places: readonly Place[]): string {
  const candidatesOf = ({ words }: Place) =>
    words.map(({ word, description }) => quoted(`${word}:${description.replaceAll(':', ',')}`)).join(' ');
  return `#compdef unbroken
_unbroken() {
  local at="" index
  local -a candidates
  for ((index = 2; index < CURRENT; index++)); do
    case "$at \${words[index]}" in
      ${stepsOf(places).map(quoted).join(' | ')}) at="\${at:+$at }\${words[index]}" ;;
    esac
  done
  case "$at" in
${places.map((place) => `    ${quoted(place.path)}) candidates=(${candidatesOf(place)}) ;;`).join('\n')}
  esac
  _describe unbroken candidates || _files
}
# In a folder of fpath this file is the body of the function; elsewhere it is sourced.
if [ "$funcstack[1]" = _unbroken ]; then _unbroken "$@"; else compdef _unbroken unbroken; fi
`;
}

function fishScript(places: readonly Place[]): string {
  const lines = places.flatMap(({ path, words }) =>
    words.map(({ word, description, takesValue }) => {
      const what = word.startsWith('--') ? `-l ${word.slice(2)}${takesValue ? ' -r' : ''}` : `-f -a ${word}`;
      return `complete -c unbroken -n ${quoted(`__unbroken_at ${path}`.trim())} ${what} -d ${fishQuoted(description)}`;
    }),
  );
  return `function __unbroken_at
  set -l at ''
  for word in (commandline -opc)[2..-1]
    switch "$at $word"
      case ${stepsOf(places).map(quoted).join(' ')}
        set at (string trim "$at $word")
    end
  end
  test "$at" = "$argv"
end
${lines.join('\n')}
`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** fish knows backslashes inside single quotes. */
function fishQuoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
