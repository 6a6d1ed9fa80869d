import type { Db } from '../../../db/database.ts'
import { fromBase64 } from '../../../platform/base64.ts'
import { AppError } from '../../../platform/errors.ts'
import { mlsErrors } from '../errors.ts'
import type { KeyPackageHash } from '../schema.ts'
import type { Convo } from '../store/convos.ts'
import {
  type CommitFacts,
  type GroupInfoFacts,
  readCommit,
  readGroupInfo,
  readWelcome,
  type WelcomeFacts,
} from '../wire/reading.ts'
import { requireEpoch } from './epoch.ts'

/** A Welcome as it came, and what the server reads of it. */
export interface IncomingWelcome {
  readonly bytes: Buffer
  readonly facts: WelcomeFacts
}

/** A commit with its Welcome and GroupInfo, decoded before the transaction and checked inside it. */
export interface IncomingCommit {
  readonly bytes: Buffer
  readonly facts: CommitFacts
  readonly welcome: IncomingWelcome | undefined
  readonly groupInfo: GroupInfoFacts | undefined
  readonly hashes: readonly KeyPackageHash[] | undefined
}

/** A Welcome in a request, under either of its two names. */
interface WelcomeInput {
  readonly welcomeMessage?: string
  readonly welcome?: string
}

interface CommitInput extends WelcomeInput {
  readonly commit: string
  readonly groupInfo?: string
  readonly keyPackageHashes?: readonly KeyPackageHash[]
}

/**
 * Decodes a commit and what was sent with it. The suite is the conversation's, which never changes. A
 * commit of a past epoch is refused here already, so that the losers of a race do not wait for the lock.
 */
export async function readIncoming(
  db: Db,
  convo: Convo,
  input: CommitInput,
): Promise<IncomingCommit> {
  const bytes = fromBase64(input.commit, mlsErrors.invalidCommit)
  const facts = await readCommit(bytes, convo.cipher_suite)
  if (facts?.groupId !== convo.id) throw new AppError(mlsErrors.invalidCommit)
  await requireEpoch(db, convo, facts.epoch)
  return {
    bytes,
    facts,
    welcome: readWelcomeOf(input),
    groupInfo: await readInfoOf(convo, input.groupInfo),
    hashes: input.keyPackageHashes,
  }
}

/** Decodes the Welcome of a request, if it has one; throws `InvalidWelcome`. */
export function readWelcomeOf({
  welcomeMessage,
  welcome,
}: WelcomeInput): IncomingWelcome | undefined {
  const text = welcomeMessage ?? welcome
  if (text === undefined) return undefined
  const bytes = fromBase64(text, mlsErrors.invalidWelcome)
  const facts = readWelcome(bytes)
  if (!facts) throw new AppError(mlsErrors.invalidWelcome)
  return { bytes, facts }
}

/** Decodes a GroupInfo of the conversation, of any epoch; it must include its tree and external key. */
export async function readInfoOf(
  convo: Pick<Convo, 'id' | 'cipher_suite'>,
  text: string | undefined,
): Promise<GroupInfoFacts | undefined> {
  if (text === undefined) return undefined
  const facts = await readGroupInfo(fromBase64(text, mlsErrors.invalidGroupInfo))
  const isOfGroup = facts?.groupId === convo.id && facts.cipherSuite === convo.cipher_suite
  if (!isOfGroup || !facts.leaves || !facts.hasExternalKey) {
    throw new AppError(mlsErrors.invalidGroupInfo)
  }
  return facts
}
