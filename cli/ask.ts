import type { ZodType } from 'zod'
import { Refusal } from './failure.ts'

// Questions go to standard error, so that standard output holds only the result.
const output = process.stderr

/** Whether standard input is a terminal, so that questions can be answered. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true
}

/** Asks before something that cannot be undone. Throws a `Refusal` unless the answer is yes. */
export async function confirm(question: string, { yes }: { yes?: boolean }): Promise<void> {
  if (yes) return
  if (!canAsk())
    throw new Refusal(`${question} Add --yes to confirm without a terminal`, 'needs_yes')
  const { confirm: ask } = await import('@clack/prompts')
  const answer = await ask({ message: question, initialValue: false, output })
  if (answer !== true) throw new Refusal('nothing was done', 'declined')
}

/** Says what is wrong with an answer. The library passes an empty one as undefined. */
const problemWith = (schema: ZodType) => (answer: string | undefined) =>
  schema.safeParse(answer ?? '').error?.issues[0]?.message

export async function askText(message: string, schema: ZodType): Promise<string> {
  const { text } = await import('@clack/prompts')
  return answered(await text({ message, validate: problemWith(schema), output }))
}

/** Asks twice, without showing the input. */
export async function askNewPassword(message: string, schema: ZodType): Promise<string> {
  const { password } = await import('@clack/prompts')
  for (;;) {
    const first = answered(await password({ message, validate: problemWith(schema), output }))
    const second = answered(await password({ message: 'Repeat it', output }))
    if (first === second) return first
    output.write('They do not match.\n')
  }
}

export async function choose<T extends string>(
  message: string,
  choices: Readonly<Record<T, string>>,
): Promise<T> {
  const { select } = await import('@clack/prompts')
  const options = Object.entries<string>(choices).map(([value, label]) => ({ value, label }))
  return answered(await select({ message, options, output })) as T
}

/** Reads a secret from standard input up to its end, without the final line break. */
export async function readSecret(): Promise<string> {
  let text = ''
  process.stdin.setEncoding('utf8')
  for await (const chunk of process.stdin) text += chunk
  const secret = text.replace(/\r?\n$/, '')
  if (secret === '') throw new Refusal('no password on standard input', 'no_password')
  return secret
}

/** Throws on Ctrl-C, which the library returns as a symbol. */
function answered<T>(answer: T): Exclude<T, symbol> {
  if (typeof answer === 'symbol') throw new Refusal('nothing was done', 'cancelled')
  return answer as Exclude<T, symbol>
}
