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

/** A commit with its Welcome and GroupInfo, decoded before the transaction and checked inside it. */
export interface IncomingCommit {
  readonly bytes: Buffer
  readonly facts: CommitFacts
  readonly welcome: { readonly bytes: Buffer; readonly facts: WelcomeFacts } | undefined
  readonly groupInfo: GroupInfoFacts | undefined
  readonly hashes: readonly KeyPackageHash[] | undefined
}

interface CommitInput {
  readonly commit: string
  readonly welcomeMessage?: string
  readonly welcome?: string
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
  const text = input.welcomeMessage ?? input.welcome
  const welcomeBytes = text === undefined ? undefined : fromBase64(text, mlsErrors.invalidWelcome)
  const welcome = welcomeBytes && readWelcome(welcomeBytes)
  if (welcomeBytes && !welcome) throw new AppError(mlsErrors.invalidWelcome)
  return {
    bytes,
    facts,
    welcome: welcomeBytes && welcome ? { bytes: welcomeBytes, facts: welcome } : undefined,
    groupInfo: await readInfoOf(convo, input.groupInfo),
    hashes: input.keyPackageHashes,
  }
}

/** Decodes a GroupInfo of the conversation, of any epoch; it must include its tree and external key. */
export async function readInfoOf(
  convo: Convo,
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
