import { Argument, type Command } from 'commander';
import { asUsage, type Adding } from './command.js';

/** `keyway completion bash|zsh|fish`: a script that completes commands, flags and their choices. */
export function addCompletion(program: Command, { terminal }: Adding): void {
  asUsage(program.command('completion'))
    .description('Writes a script for a shell that completes commands and flags: see --help.')
    .addHelpText('after', `\n${howTo}`)
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(scripts)))
    .action((shell: keyof typeof scripts) => terminal.out.write(scripts[shell](placesOf(program))));
}

const howTo = `  bash: source <(keyway completion bash)     in ~/.bashrc
  zsh:  source <(keyway completion zsh)      in ~/.zshrc, after compinit
  fish: keyway completion fish | source      in ~/.config/fish/config.fish`;

/** What can come after some words of a command: `credential` after none, `list` after `credential`. */
interface Place {
  /** The words before, with spaces between. */
  readonly path: string;
  readonly commands: readonly { name: string; does: string }[];
  readonly flags: readonly { name: string; does: string; choices: readonly string[] }[];
}

function placesOf(command: Command, path = ''): Place[] {
  const help = command.createHelp();
  const commands = help.visibleCommands(command);
  const place = {
    path,
    commands: commands.map((one) => ({ name: one.name(), does: one.description() })),
    flags: help
      .visibleOptions(command)
      .flatMap(({ long, description, argChoices = [] }) =>
        long ? [{ name: long, does: description, choices: argChoices }] : [],
      ),
  };
  const own = new Set<Command>(command.commands);
  return [
    place,
    ...commands.filter((one) => own.has(one)).flatMap((one) => placesOf(one, `${path} ${one.name()}`.trim())),
  ];
}

const wordsOf = ({ commands, flags }: Place) => [...commands, ...flags].map(({ name }) => name).join(' ');

const choicesOf = ({ path, flags }: Place) =>
  flags.flatMap(({ name, choices }) =>
    choices.length > 0 ? [{ place: `${path} ${name}`.trim(), choices }] : [],
  );

const quoted = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** Words that are none of a command, such as values, leave the place where it is. */
const bash = (places: readonly Place[]) => `_keyway() {
  local place='' word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words='' next at
  for ((at = 1; at < COMP_CWORD; at++)); do
    next="\${place:+$place }\${COMP_WORDS[at]}"
    case "$next" in
      ${places.flatMap(({ path }) => (path === '' ? [] : [quoted(path)])).join(' | ')}) place="$next" ;;
    esac
  done
  case "\${place:+$place }$before" in
${places
  .flatMap(choicesOf)
  .map(({ place, choices }) => `    ${quoted(place)}) words=${quoted(choices.join(' '))} ;;\n`)
  .join('')}    *) case "$place" in
${places.map((one) => `      ${quoted(one.path)}) words=${quoted(wordsOf(one))} ;;\n`).join('')}    esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _keyway keyway
`;

const fish = (places: readonly Place[]) => `function __keyway_place
  set -l place
  for word in (commandline -opc)[2..-1]
    set -l next (string trim -- "$place $word")
    if contains -- $next ${places.flatMap(({ path }) => (path === '' ? [] : [quotedForFish(path)])).join(' ')}
      set place $next
    end
  end
  test "$place" = "$argv"
end
complete -c keyway -f
${places
  .flatMap(({ path, commands, flags }) => {
    const where = `complete -c keyway -n ${quotedForFish(`__keyway_place ${path}`.trim())}`;
    return [
      ...commands.map(({ name, does }) => `${where} -a ${quotedForFish(name)} -d ${quotedForFish(does)}`),
      ...flags.map(
        ({ name, does, choices }) =>
          `${where} -l ${name.slice(2)} -d ${quotedForFish(does)}${choices.length > 0 ? ` -xa ${quotedForFish(choices.join(' '))}` : ''}`,
      ),
    ];
  })
  .join('\n')}
`;

const quotedForFish = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

const scripts = {
  bash,
  zsh: (places: readonly Place[]) => `autoload -U +X bashcompinit && bashcompinit\n${bash(places)}`,
  fish,
};
