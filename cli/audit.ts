import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { type Command, InvalidArgumentError } from 'commander'
import type { CommandInput, CommandOutput } from '../src/app/command-types.ts'
import { type Connection, call, connected } from './connection.ts'
import { withExamples } from './examples.ts'
import { Refusal } from './failure.ts'
import { type Globals, globalsOf } from './globals.ts'
import { collect, parseCount } from './option-values.ts'
import { print, remark, table, time, write } from './output.ts'

const PAGE = 500
const FOLLOW_MS = 1000

export function addAudit(program: Command): void {
  const audit = program.command('audit').description('the audit log')

  const tail = audit
    .command('tail')
    .description('show the newest records')
    .option('--lines <n>', 'how many records', parseCount, 20)
    .option('--follow', 'keep printing new records')
    .action(showTail)
  withExamples(tail, 'mimir audit tail', 'mimir audit tail --follow --json')

  const verify = audit
    .command('verify')
    .description('check the hash chain and its signatures; report the first broken record')
    .option('--file <file>', 'check an export instead; needs no server')
    .option(
      '--key <key>',
      'with --file: a trusted public key from `mimir key list`; repeatable',
      collectKey,
    )
    .action(verifyChain)
  withExamples(verify, 'mimir audit verify', 'mimir audit verify --file audit.jsonl')

  const exporting = audit
    .command('export')
    .description('print the whole log as JSON lines, with its signatures')
    .action(exportChain)
  withExamples(exporting, 'mimir audit export > audit.jsonl')
}

type Page = CommandOutput<'audit.page'>
type Line = Page['lines'][number]

async function showTail(
  options: { lines: number; follow?: boolean },
  command: Command,
): Promise<void> {
  const globals = globalsOf(command)
  await connected(globals, async (connection) => {
    const first = await pageOf(connection, { limit: options.lines, begin: 'audit.read' })
    if (!options.follow) return showPage(globals, first)
    for (let page = first; ; page = await pageOf(connection, { after: page.next, limit: PAGE })) {
      for (const line of page.lines) if (line.kind === 'event') follow(globals, line)
      if (page.lines.length === 0) await setTimeout(FOLLOW_MS)
    }
  })
}

function showPage(globals: Globals, { lines }: Page): Promise<void> {
  const events = lines.filter((line) => line.kind === 'event')
  return print(globals, events, () =>
    table(
      ['time', 'event', 'outcome', 'actor', 'target', 'address'],
      events.map(cellsOf),
      'No records yet.',
    ),
  )
}

function follow({ json }: Globals, line: Extract<Line, { kind: 'event' }>): void {
  write(`${json ? JSON.stringify(line) : cellsOf(line).join('  ')}\n`)
}

function cellsOf(line: Extract<Line, { kind: 'event' }>): string[] {
  const { actor, target } = line
  return [
    time(line.time),
    line.type,
    line.outcome,
    actor.id ?? actor.kind,
    target.type ? `${target.type} ${target.id}` : '',
    line.ip ?? '',
  ]
}

async function exportChain(_options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  await connected(globals, async (connection) => {
    const start = { position: 0, checkpoint: 0 }
    let page = await pageOf(connection, { after: start, limit: PAGE, begin: 'audit.exported' })
    let count = 0
    while (page.lines.length > 0) {
      await writeInTurn(page.lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
      count += page.lines.length
      page = await pageOf(connection, { after: page.next, limit: PAGE })
    }
    remark(globals, `${count} lines`)
  })
}

/** Waits for a slow reader, so that a long log is not buffered in memory. */
async function writeInTurn(text: string): Promise<void> {
  if (write(text)) return
  await new Promise((resolve) => process.stdout.once('drain', resolve))
}

function pageOf(connection: Connection, input: CommandInput<'audit.page'>): Promise<Page> {
  return connection.call('audit.page', input)
}

async function verifyChain(
  options: { file?: string; key?: string[] },
  command: Command,
): Promise<void> {
  const globals = globalsOf(command)
  if (options.key && !options.file) command.error('error: --key needs --file')
  const report = options.file
    ? await verifyFile(globals, options.file, options.key ?? [])
    : await call(globals, 'audit.verify', {})
  const { broken } = report
  if (broken && globals.json) await print(globals, report, () => '')
  if (broken) {
    const record = broken.eventId ? `, record ${broken.eventId}` : ''
    throw new Refusal(
      `the audit log is broken at position ${broken.position}${record}: ${WORDS[broken.problem]}`,
      'audit_broken',
    )
  }
  await print(globals, report, () => {
    const { checked, checkpoints, prunedTo } = report
    const pruned = `Records up to position ${prunedTo} were deleted when their retention ended.`
    const whole = `${checked} records and ${checkpoints} signed checkpoints verified: none was changed.`
    return prunedTo > 0 ? `${whole}\n${pruned}` : whole
  })
}

const WORDS = {
  changed: 'the record was changed',
  missing: 'the record is missing',
  gap: 'it does not follow the one before; records were removed, added or moved',
  rewritten: 'the chain differs from the signed one',
  truncated: 'the log ends before a signed position',
  checkpoint: 'a checkpoint is missing or was changed',
}

async function verifyFile(globals: Globals, file: string, trusted: readonly string[]) {
  const { verifyLines } = await import('../src/features/audit/commands.ts')
  async function* lines() {
    const reader = createInterface({ input: createReadStream(file), crlfDelay: Infinity })
    for await (const line of reader) if (line !== '') yield parse(line)
  }
  const report = await verifyLines(lines(), trusted)
  const signers = report.keys.join(', ') || 'nobody'
  if (trusted.length === 0) {
    remark(globals, `Signed by ${signers}: compare with \`mimir key list\`, or pass --key.`)
  } else if (report.keys.some((key) => !trusted.includes(key))) {
    throw new Refusal(
      `the file is signed by ${signers}, not all of which were passed with --key`,
      'unknown_signer',
    )
  }
  return report
}

const KINDS: ReadonlySet<Line['kind']> = new Set(['event', 'checkpoint', 'pruning'])

function parse(line: string): Line {
  try {
    const parsed = JSON.parse(line)
    if (parsed?.v === 1 && KINDS.has(parsed.kind)) return parsed
  } catch {
    // Reported below.
  }
  throw new Refusal('the file is no export of an audit log: a line cannot be read', 'bad_file')
}

/** A public key of Ed25519: 32 bytes in base64url. */
function collectKey(text: string, before: string[] = []): string[] {
  if (!/^[A-Za-z0-9_-]{43}$/.test(text)) {
    throw new InvalidArgumentError('Use a public key from `mimir key list` (43 characters).')
  }
  return collect(text, before)
}
