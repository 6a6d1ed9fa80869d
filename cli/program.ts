import { Command, CommanderError, Option } from 'commander'
import { VERSION } from '../src/platform/version.ts'
import { withExamples } from './examples.ts'
import { printFailure, reportFailure } from './failure.ts'

/** Adds a noun and its verbs, like `user` and `approve`. */
export type AddCommands = (program: Command) => void

const EXIT_STATUS =
  'Exit status: 0 done, 1 refused or failed (the reason is on standard error; with --json also {"error", "message"}), 2 wrong usage.'

const DONE = 0
const WRONG_USAGE = 2

/** Runs the command line and sets the exit status: 0 done, 1 refused, 2 wrong usage. */
export async function runProgram(nouns: readonly AddCommands[]): Promise<void> {
  // New files are accessible to their owner only.
  process.umask(0o077)
  // `mimir user list | head` is not a failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(DONE)
    throw error
  })
  const program = createProgram(nouns)
  // If the command line cannot be parsed, its options are not known.
  const json = process.argv.includes('--json')
  try {
    await program.parseAsync()
  } catch (error) {
    if (error instanceof CommanderError) {
      const isWrong = error.exitCode !== 0
      process.exitCode = isWrong ? WRONG_USAGE : DONE
      if (isWrong && json) printFailure('wrong_usage', usageMessage(error))
    } else {
      process.exitCode = await reportFailure(error, {
        json,
        verbose: program.opts().verbose === true,
      })
    }
  }
}

function createProgram(nouns: readonly AddCommands[]): Command {
  const program = new Command('mimir')
    .description('A self-hosted messaging server and its administration tool.')
    .option('--data-dir <dir>', 'directory of all server data (MIMIR_DATA_DIR)')
    .option('--tenant <id>', 'use this tenant, not the default one (MIMIR_TENANT)')
    .option('--config <file>', 'settings file instead of DATA/mimir.env')
    .option('--json', 'print one JSON document instead of text')
    .addOption(new Option('--quiet', 'print only the result').conflicts('verbose'))
    .option('--verbose', 'print more details')
    .version(VERSION, '--version', 'print the version')
    .helpOption('--help', 'show this help')
    .helpCommand('help [command]', 'same as --help')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      outputError: (text, write) => write(`mimir: ${oneLine(text.replace(/^error: /, ''))}\n`),
    })
    .exitOverride()
  withExamples(
    program,
    'mimir serve',
    'mimir invite create --note "for Ada" --qr',
    'mimir user approve ada',
  )
  for (const add of nouns) add(program)
  program.addHelpText('after', `\n${EXIT_STATUS}`)
  // `mimir user help` would be a third way to get help.
  for (const noun of program.commands) noun.helpCommand(false)
  return program
}

function usageMessage({ code, message }: CommanderError): string {
  // Commander's code for a missing command, in which case it has printed the help.
  if (code === 'commander.help') return 'missing command: see --help'
  return oneLine(message.replace(/^error: /, ''))
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s*\n\s*/g, ' ')
}
