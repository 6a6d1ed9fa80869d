/** Something the administrator asked for is not done: one line, with how to mend it. */
export class Refusal extends Error {
  readonly code: string | undefined

  constructor(message: string, code?: string) {
    super(message)
    this.name = 'Refusal'
    this.code = code
  }
}

/** How to mend refusals whose own sentence is for any client. */
const MENDS: Readonly<Record<string, string>> = {
  user_not_found: '`mimir user list` names them',
  user_not_pending: '`mimir user list --status PendingAdmin` names those who wait',
  unknown_role: 'MIMIR_RBAC_CONFIG names them, and is read at the start and at SIGHUP',
  subject_not_found: '`mimir subject list` names them',
  key_not_active: '`mimir apikey list` shows how each is',
  key_not_found: '`mimir key list` names them',
  key_in_use: 'a current key is rotated first, and one that still seals messages has to stay',
  already_redeemed: 'to shut its user out, `mimir user suspend NAME`',
  internal_error: 'the server’s log says what',
}

/** The refusal of a use case, from this process or from the server. */
export function refusalOf(
  code: string,
  message: string,
  details: Readonly<Record<string, unknown>>,
): Refusal {
  if (code === 'not_found' && details.command) {
    const what = `the running server does not know ${String(details.command)}`
    return new Refusal(`${what}: it is an older version, restart it`, code)
  }
  const sentence = message.replace(/\.$/, '')
  const fields = Object.entries((details.fields as Record<string, string>) ?? {})
  const told = fields.map(([name, rule]) => `${name}: ${rule}`).join('; ') || MENDS[code]
  return new Refusal(told ? `${sentence}: ${told}` : sentence, code)
}

/** Says on standard error what failed and returns the exit status for it. */
export async function reportFailure(error: unknown, verbose: boolean): Promise<number> {
  if (error instanceof Refusal) {
    say(error.message, error.code)
    return 1
  }
  const { describeFailure } = await import('../src/app/describe-failure.ts')
  const { lines, code, unexpected } = describeFailure(error)
  for (const line of lines) say(line, code)
  if (unexpected && verbose) console.error(error)
  return 1
}

function say(line: string, code: string | undefined): void {
  process.stderr.write(`mimir: ${line}${code ? ` (${code})` : ''}\n`)
}
