import type { Command } from 'commander'
import { canAsk, choose } from './ask.ts'
import { connected } from './connection.ts'
import { Refusal } from './failure.ts'
import { globalsOf } from './globals.ts'
import { print, time } from './output.ts'

const CHOICES = { approve: 'approve', reject: 'reject', later: 'decide later', stop: 'stop' }

/** Asks about every waiting account, oldest first. Prints the usernames by decision. */
export async function review(_options: object, command: Command): Promise<void> {
  const globals = globalsOf(command)
  if (!canAsk()) {
    const instead = '`mimir user list --status PendingAdmin` and `mimir user approve NAME`'
    throw new Refusal(`a review needs a terminal: use ${instead}`, 'no_terminal')
  }
  const result = { approved: [] as string[], rejected: [] as string[], waiting: [] as string[] }
  await connected(globals, async (connection) => {
    const status = 'PendingAdmin'
    const users = await connection.call('user.list', { status })
    let stopped = false
    for (const { id, username, email, createdAt } of users) {
      const question = `${username} <${email}>, waiting since ${time(createdAt)}`
      const decision: keyof typeof CHOICES = stopped ? 'stop' : await choose(question, CHOICES)
      if (decision === 'approve') {
        await connection.call('user.approve', { user: id })
        result.approved.push(username)
      } else if (decision === 'reject') {
        await connection.call('user.reject', { user: id })
        result.rejected.push(username)
      } else {
        stopped = decision === 'stop'
        result.waiting.push(username)
      }
    }
  })
  const { approved, rejected, waiting } = result
  await print(
    globals,
    result,
    () =>
      `${approved.length} approved, ${rejected.length} rejected, ${waiting.length} still waiting.`,
  )
}
