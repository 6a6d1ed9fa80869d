import type { Command } from 'commander'

/** What may stand behind one path of the command, like `user approve`. */
export interface Place {
  /** Empty for `mimir` itself. */
  readonly path: string
  readonly commands: readonly Word[]
  readonly options: readonly (Word & { readonly choices: readonly string[] })[]
  /** Values of its first argument, where they are a closed set. */
  readonly choices: readonly string[]
}

interface Word {
  readonly name: string
  readonly about: string
}

/** Every path there is, from the definitions of the commands. */
export function readTree(program: Command): Place[] {
  const everywhere = optionsOf(program)
  return [
    placeOf(program, '', everywhere),
    ...program.commands.flatMap((noun) => [
      placeOf(noun, noun.name(), everywhere),
      ...noun.commands.map((verb) => placeOf(verb, `${noun.name()} ${verb.name()}`, everywhere)),
    ]),
  ]
}

function placeOf(command: Command, path: string, everywhere: Place['options']): Place {
  return {
    path,
    commands: command.commands.map((one) => ({ name: one.name(), about: one.description() })),
    options: path === '' ? everywhere : [...optionsOf(command), ...everywhere],
    choices: command.registeredArguments[0]?.argChoices ?? [],
  }
}

function optionsOf(command: Command): Place['options'] {
  return command
    .createHelp()
    .visibleOptions(command)
    .filter(({ long }) => long !== undefined)
    .map(({ long, description, argChoices }) => ({
      name: long as string,
      about: description,
      choices: argChoices ?? [],
    }))
}

export function bash(tree: readonly Place[]): string {
  const words = tree.map((place) => `    '${place.path}') words='${words_(place)}' ;;`)
  return `# bash completion for mimir
_mimir() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} path= word words=
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in
      ${paths(tree)}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$before" in
    --data-dir) COMPREPLY=($(compgen -d -- "$current")); return ;;
    --config) COMPREPLY=($(compgen -f -- "$current")); return ;;
${optionChoices(tree)
  .map(
    ([name, choices]) =>
      `    ${name}) COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$current")); return ;;\n`,
  )
  .join('')}  esac
  case "$path" in
${words.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _mimir mimir
`
}

export function zsh(tree: readonly Place[]): string {
  const places = tree.map(
    (place) => `    '${place.path}') found=(${described(place).map(zshWord).join(' ')}) ;;`,
  )
  return `#compdef mimir
_mimir() {
  local at= word
  local -a found
  for word in \${words[2,CURRENT-1]}; do
    case "\${at:+$at }$word" in
      (${paths(tree)}) at="\${at:+$at }$word" ;;
    esac
  done
  case "\${words[CURRENT-1]}" in
    (--data-dir) _files -/; return ;;
    (--config) _files; return ;;
${optionChoices(tree)
  .map(([name, choices]) => `    (${name}) compadd -- ${choices.join(' ')}; return ;;\n`)
  .join('')}  esac
  case "$at" in
${places.join('\n').replaceAll(/^ {4}'/gm, "    ('")}
  esac
  _describe mimir found
}
if [ "$funcstack[1]" = _mimir ]; then _mimir "$@"; else compdef _mimir mimir; fi
`
}

export function fish(tree: readonly Place[]): string {
  const lines = tree.flatMap((place) =>
    described(place).map(({ name, about }) => {
      const word = name.startsWith('--') ? `-l ${name.slice(2)}` : `-a ${name}`
      const takes = optionChoices(tree).find(([option]) => option === name)
      const values = takes ? ` -x -a '${takes[1].join(' ')}'` : (FISH_VALUES[name] ?? '')
      return `complete -c mimir -n '__mimir_at "${place.path}"' ${word}${values} -d ${quote(about)}`
    }),
  )
  return `# fish completion for mimir
function __mimir_at
  set -l at ''
  for word in (commandline -opc)[2..]
    switch (string trim "$at $word")
      case ${tree.flatMap(({ path }) => (path ? [`'${path}'`] : [])).join(' ')}
        set at (string trim "$at $word")
    end
  end
  test "$at" = "$argv[1]"
end
complete -c mimir -f
${lines.join('\n')}
`
}

const FISH_VALUES: Readonly<Record<string, string>> = {
  '--data-dir': " -x -a '(__fish_complete_directories)'",
  '--config': ' -r -F',
}

function described(place: Place): Word[] {
  const values = place.choices.map((name) => ({ name, about: name }))
  return [...place.commands, ...values, ...place.options]
}

function words_(place: Place): string {
  return described(place)
    .map(({ name }) => name)
    .join(' ')
}

/** Every path as an alternative of a shell's \`case\`. */
function paths(tree: readonly Place[]): string {
  return tree.flatMap(({ path }) => (path ? [`'${path}'`] : [])).join('|')
}

/** Options whose values are a closed set. */
function optionChoices(tree: readonly Place[]): [string, readonly string[]][] {
  const options = tree.flatMap((place) => place.options)
  const found = options.filter(({ choices }) => choices.length > 0)
  return [...new Map(found.map(({ name, choices }) => [name, choices]))]
}

function zshWord({ name, about }: Word): string {
  return quote(`${name}:${about.replaceAll(':', '\\:')}`)
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
