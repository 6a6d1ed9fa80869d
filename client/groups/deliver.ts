import { joinedBy } from './external-commit.ts'
import { type Held, keep, withoutAttempt } from './held.ts'
import { historyChange } from './history.ts'
import { endMembership } from './read-log.ts'
import {
  type Attempt,
  type CreateAttempt,
  changesBetween,
  type ExternalAttempt,
  type LeaveAttempt,
} from './record.ts'

/**
 * Sends the recorded request. A commit takes effect only when it comes back in the log, after the entries
 * stored before it; the other requests take effect with the service's response.
 */
export function deliver(held: Held, attempt: Attempt): Promise<void> {
  switch (attempt.kind) {
    case 'create':
      return create(held, attempt)
    case 'commit':
      return held.place.service.commit({ ...attempt, convoId: held.snapshot.record.convoId })
    case 'external':
      return commitExternally(held, attempt)
    case 'leave':
      return leave(held, attempt)
  }
}

async function create(held: Held, attempt: CreateAttempt): Promise<void> {
  const { convoId, suite } = held.snapshot.record
  await held.place.service.createConversation({ ...attempt, convoId, suite })
  await keep(held, withoutAttempt(held.snapshot))
}

async function commitExternally(held: Held, attempt: ExternalAttempt): Promise<void> {
  const { convoId } = held.snapshot.record
  const seq = await held.place.service.commitExternally({ ...attempt, convoId })
  const { snapshot, entry } = joinedBy(held.snapshot, attempt, seq)
  const changes = changesBetween(held.snapshot, snapshot)
  await held.place.store.write([...changes, historyChange(convoId, entry)])
  held.snapshot = snapshot
  held.place.notice(convoId, entry)
}

async function leave(held: Held, attempt: LeaveAttempt): Promise<void> {
  const { convoId } = held.snapshot.record
  await held.place.service.leave({ ...attempt, convoId })
  await keep(held, endMembership(held.snapshot, 'left'))
}
