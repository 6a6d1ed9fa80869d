import type { Command } from 'commander'

/** The words that may follow one path of commands, like `user approve`. */
export interface Place {
  /** Empty for `mimir` itself. */
  readonly path: string
  readonly words: readonly Word[]
}

export interface Word {
  readonly text: string
  readonly about: string
  /** Values of an option, where they are a closed set. */
  readonly choices: readonly string[]
}

/** All paths, read from the definitions of the commands. */
export function readPlaces(program: Command): Place[] {
  const everywhere = optionsOf(program)
  const place = (command: Command, path: string): Place => ({
    path,
    words: [...wordsOf(command), ...(command === program ? [] : optionsOf(command)), ...everywhere],
  })
  return [
    place(program, ''),
    ...program.commands.flatMap((noun) => [
      place(noun, noun.name()),
      ...noun.commands.map((verb) => place(verb, `${noun.name()} ${verb.name()}`)),
    ]),
  ]
}

/** The options whose values are a closed set, each once. */
export function optionsWithChoices(places: readonly Place[]): Word[] {
  const words = places.flatMap((place) => place.words).filter(({ choices }) => choices.length > 0)
  return [...new Map(words.map((word) => [word.text, word])).values()]
}

/** The subcommands, or the values of the first argument where they are a closed set. */
function wordsOf(command: Command): Word[] {
  const values = command.registeredArguments[0]?.argChoices ?? []
  return [
    ...command.commands.map((one) => word(one.name(), one.description())),
    ...values.map((value) => word(value, command.registeredArguments[0]?.description || value)),
  ]
}

function optionsOf(command: Command): Word[] {
  const options = command.createHelp().visibleOptions(command)
  return options
    .filter(({ long }) => long !== '--help' || command.parent === null)
    .map(({ long, description, argChoices }) => word(String(long), description, argChoices))
}

function word(text: string, about: string, choices: readonly string[] = []): Word {
  return { text, about, choices }
}
