import { hasOutput, write } from './output.ts'

/** A command that was not carried out: one line that says why and how to fix it. */
export class Refusal extends Error {
  readonly code: string | undefined

  constructor(message: string, code?: string) {
    super(message)
    this.name = 'Refusal'
    this.code = code
  }
}

/** Hints on how to fix refusals, whose own messages are for any client. */
const HINTS: Readonly<Record<string, string>> = {
  user_not_found: 'see `mimir user list`',
  user_not_pending:
    'see `mimir user list`; a PendingEmail one needs `mimir user confirm-email` first',
  unknown_role: 'roles are defined in MIMIR_RBAC_CONFIG, read at startup and on SIGHUP',
  subject_not_found: 'see `mimir subject list`',
  key_not_active: 'see `mimir apikey list`',
  key_not_found: 'see `mimir key list`',
  key_in_use:
    'rotate a current key first; one that still seals messages or signed the audit log has to stay',
  already_redeemed: 'to lock its user out, use `mimir user suspend NAME`',
  under_legal_hold: 'see `mimir retention holds`',
  hold_not_found: 'see `mimir retention holds`',
  incident_not_found: 'see `mimir incident list`',
  internal_error: 'see the server’s log',
}

/** Turns a use case's refusal, from this process or the server, into a `Refusal`. */
export function refusalOf(
  code: string,
  message: string,
  details: Readonly<Record<string, unknown>>,
): Refusal {
  if (code === 'not_found' && details.command) {
    const what = `the running server does not know ${String(details.command)}`
    return new Refusal(`${what}: it is an older version, so restart it`, code)
  }
  const sentence = message.replace(/\.$/, '')
  const fields = Object.entries((details.fields as Record<string, string>) ?? {})
  const told = fields.map(([name, rule]) => `${name}: ${rule}`).join('; ') || HINTS[code]
  return new Refusal(told ? `${sentence}: ${told}` : sentence, code)
}

export interface ReportOptions {
  readonly json: boolean
  readonly verbose: boolean
}

/** Reports the failure and returns its exit status. */
export async function reportFailure(error: unknown, options: ReportOptions): Promise<number> {
  if (error instanceof Refusal) {
    say([error.message], error.code, options)
    return 1
  }
  const { describeFailure } = await import('../src/app/describe-failure.ts')
  const { lines, code, unexpected } = describeFailure(error)
  say(lines, code, options)
  if (unexpected && options.verbose) console.error(error)
  return 1
}

/** Writes to standard error for people, and with `--json` also the JSON document that scripts expect. */
function say(lines: readonly string[], code: string | undefined, { json }: ReportOptions): void {
  for (const line of lines) process.stderr.write(`mimir: ${line}${code ? ` (${code})` : ''}\n`)
  if (json) printFailure(code ?? 'failed', lines.join('; '))
}

/** Prints the failure as the only JSON document, unless a result has been printed already. */
export function printFailure(error: string, message: string): void {
  if (!hasOutput()) write(`${JSON.stringify({ error, message })}\n`)
}
