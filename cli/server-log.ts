import type { Config } from '../src/config/config.ts'
import type { Logger, LogLevel } from '../src/platform/log.ts'
import type { Globals } from './globals.ts'

/** JSON lines on standard error; on a terminal, lines for people. */
export async function serverLog({ quiet, verbose }: Globals, config: Config): Promise<Logger> {
  const { createLog } = await import('../src/platform/log.ts')
  const level: LogLevel = verbose ? 'debug' : quiet ? 'warn' : config.logLevel
  if (!process.stderr.isTTY) return createLog({ level })
  // In this process: the transport's worker would need a file that the executable does not contain.
  const { build } = await import('pino-pretty')
  const stream = build({ colorize: !process.env.NO_COLOR, destination: 2, sync: true })
  return createLog({ level, stream })
}
