import type { Command } from 'commander'

/** Adds examples to what `--help` prints. */
export function withExamples(command: Command, ...lines: readonly string[]): Command {
  const list = lines.map((line) => `  $ ${line}`).join('\n')
  return command.addHelpText('after', `\nExamples:\n${list}`)
}
